// SPDX-License-Identifier: Apache-2.0

// Package password hashes passwords, says which hashes the server accepts, and verifies passwords within fixed limits of
// memory and processor time.
//
// A hash is a PHC string (https://github.com/P-H-C/phc-string-format). New ones are argon2id with m=19456 KiB, t=2, p=1
// (RFC 9106; the OWASP minimum). Existing users may also be imported with bcrypt, scrypt or PBKDF2 hashes:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<key>
//	$2a$, $2b$ or $2y$ + cost + 53 characters
//	$scrypt$ln=16,r=8,p=1$<salt>$<key>
//	$pbkdf2-sha256$600000$<salt>$<key>   also -sha512, -sha384, and $pbkdf2$ for SHA-1; i=600000,l=32 is understood too
//
// [Check] is the gate: the operator and the command line call it before a hash is stored or rendered, and a [Verifier]
// calls it again, so a hash that is too weak, or so costly that it could exhaust a server, is never computed. The bounds
// are the constants of this package.
//
// [Verifier] bounds what anybody can cause by sending passwords: memory in slots of [SlotMemory], processors to all but one,
// and the queue. A caller that finds no user passes an empty hash, and the same work is done as for a user with a default
// hash; a caller whose users have other hashes passes one of theirs and ignores the answer. [Cost] tells which of them differ.
//
// The processor that is left keeps a flood of logins from slowing everything else down: with two or more, other requests are
// answered as before. With one, hashes and requests share it, and a request may wait for Go's scheduler (about 10 ms) while
// a password is computed. A hash made with p > 1 computes on p processors, and on all of them if there are no more than p.
// There is no bound on the attempts of one network address here: package login counts failures.
//
// Two things are not done here. Passwords are not normalised (a hash made elsewhere would stop matching), and bcrypt
// is what it always was: only the first 72 bytes of a password count.
package password
