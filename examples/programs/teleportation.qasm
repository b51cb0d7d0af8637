// Teleportation of a state that reads 1 with probability 3/4. The corrections depend on measured bits.
// Expected: out is 1 in 3/4 of the shots, whatever phase_bit and flip_bit are; those are fair coins.
OPENQASM 3.0;
include "stdgates.inc";
qubit message;
qubit[2] pair;
bit[1] phase_bit;
bit[1] flip_bit;
bit[1] out;
ry(2 * pi / 3) message;

h pair[0];
cx pair[0], pair[1];
cx message, pair[0];
h message;
phase_bit[0] = measure message;
flip_bit[0] = measure pair[0];
if (flip_bit == 1) {
  x pair[1];
}
if (phase_bit == 1) {
  z pair[1];
}
out[0] = measure pair[1];
