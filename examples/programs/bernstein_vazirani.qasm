// Bernstein-Vazirani: one question to an oracle finds its hidden string. The oracle kicks phases back through
// one helper.
// Expected: c is always 1011, the hidden string.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[4];
qreg anc[1];
creg c[4];
x anc[0];
h anc[0];
h q;
cx q[0], anc[0];
cx q[1], anc[0];
cx q[3], anc[0];
h q;
measure q -> c;
