// Iterative phase estimation: one helper reads the phase 3/8 digit by digit, last digit first; each answer turns
// the helper before the next question.
// Expected: c is always 011, for 0.011 in binary is 3/8.
OPENQASM 3.0;
include "stdgates.inc";
qubit state;
qubit[1] helper;
bit[3] c;
x state;

h helper[0];
cp(4 * 2 * pi * 3 / 8) helper[0], state;
h helper[0];
c[0] = measure helper[0];

reset helper[0];
h helper[0];
cp(2 * 2 * pi * 3 / 8) helper[0], state;
if (c[0]) {
  p(-pi / 2) helper[0];
}
h helper[0];
c[1] = measure helper[0];

reset helper[0];
h helper[0];
cp(2 * pi * 3 / 8) helper[0], state;
if (c[0]) {
  p(-pi / 4) helper[0];
}
if (c[1]) {
  p(-pi / 2) helper[0];
}
h helper[0];
c[2] = measure helper[0];
