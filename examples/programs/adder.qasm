// A ripple-carry adder of two-bit numbers (Cuccaro and others, arXiv:quant-ph/0410184): b becomes a + b. The
// carry in is a helper, back in |0> at the end.
// Expected: total is always 101, for 2 + 3 = 5.
OPENQASM 2.0;
include "qelib1.inc";
gate majority x, y, z { cx z, y; cx z, x; ccx x, y, z; }
gate unmajority x, y, z { ccx x, y, z; cx z, x; cx x, y; }
qreg a[2];
qreg b[2];
qreg carry_out[1];
qreg helper_carry[1];
creg total[3];
x a[1];
x b;
majority helper_carry[0], b[0], a[0];
majority a[0], b[1], a[1];
cx a[1], carry_out[0];
unmajority a[0], b[1], a[1];
unmajority helper_carry[0], b[0], a[0];
measure b[0] -> total[0];
measure b[1] -> total[1];
measure carry_out[0] -> total[2];
