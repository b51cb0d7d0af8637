// A NOT with four controls: a ladder of Toffoli gates up into two helpers, and down again to clear them.
// Expected: result is always 1, for all four controls are 1; c is always 1111.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[4];
qreg target[1];
qreg anc[2];
creg c[4];
creg result[1];
x q;
ccx q[0], q[1], anc[0];
ccx q[2], anc[0], anc[1];
ccx q[3], anc[1], target[0];
ccx q[2], anc[0], anc[1];
ccx q[0], q[1], anc[0];
measure q -> c;
measure target[0] -> result[0];
