// The inverse quantum Fourier transform of a state whose phases turn by 5/16 of a circle from one number to
// the next.
// Expected: c is always 0101, the number 5.
OPENQASM 2.0;
include "qelib1.inc";
qreg q[4];
creg c[4];
h q;
u1(2*pi*5/16) q[0];
u1(2*pi*10/16) q[1];
u1(2*pi*20/16) q[2];
u1(2*pi*40/16) q[3];

h q[3];
cu1(-pi/2) q[3], q[2];
h q[2];
cu1(-pi/4) q[3], q[1];
cu1(-pi/2) q[2], q[1];
h q[1];
cu1(-pi/8) q[3], q[0];
cu1(-pi/4) q[2], q[0];
cu1(-pi/2) q[1], q[0];
h q[0];
// The transform leaves the digits in reverse order.
measure q[3] -> c[0];
measure q[2] -> c[1];
measure q[1] -> c[2];
measure q[0] -> c[3];
