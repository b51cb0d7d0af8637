// A W state: one excitation shared by three qubits.
// Expected: 001, 010 and 100, a third of the shots each.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
creg c[3];
// The angle is 2 acos(1/sqrt(3)).
ry(1.9106332362490186) q[0];
ch q[0], q[1];
cx q[1], q[2];
cx q[0], q[1];
x q[0];
measure q -> c;
