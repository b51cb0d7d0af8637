// Two rounds of the three-qubit repetition code. One helper measures both checks of both rounds, with a reset
// after each, and the middle data qubit is flipped before the first round.
// Expected: first and second are always 11 (both checks see the flip); c is always 101, that is 111 with the
// middle bit flipped.
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
qubit[1] helper;
bit[2] first;
bit[2] second;
bit[3] c;
x q;
x q[1];

cx q[0], helper[0];
cx q[1], helper[0];
first[0] = measure helper[0];
reset helper[0];
cx q[1], helper[0];
cx q[2], helper[0];
first[1] = measure helper[0];
reset helper[0];

cx q[0], helper[0];
cx q[1], helper[0];
second[0] = measure helper[0];
reset helper[0];
cx q[1], helper[0];
cx q[2], helper[0];
second[1] = measure helper[0];
c = measure q;
