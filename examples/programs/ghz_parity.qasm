// A four-qubit GHZ state, and a helper that compares its two ends without disturbing it.
// Expected: c is 0000 or 1111, half of the shots each; check is always 0.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[4];
qreg anc[1];
creg c[4];
creg check[1];
h q[0];
cx q[0], q[1];
cx q[1], q[2];
cx q[2], q[3];
cx q[0], anc[0];
cx q[3], anc[0];
measure anc[0] -> check[0];
measure q -> c;
