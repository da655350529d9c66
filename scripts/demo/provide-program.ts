import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Programs of others that functions of the catalogue run. */
const PROGRAMS = {
  'nats-server': { versionFlag: '--version', what: 'the message broker is nats-server 2.9 or newer' },
  haproxy: { versionFlag: '-v', what: 'the load balancer is HAProxy 2.4 or newer' },
} as const;

/**
 * Makes sure that a program is on PATH, by apt where that is possible; the Debian package has its name.
 * @throws RangeError that says what to install
 */
export function provideProgram(name: keyof typeof PROGRAMS, say: (text: string) => void): void {
  if (isThere(name)) return;
  const remedy = `${PROGRAMS[name].what}: install it (Debian and Ubuntu: apt-get install ${name}), have ${name} on the PATH, and run this again`;
  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!canInstall) throw new RangeError(remedy);
  say(`installing ${name}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], { env, stdio: 'ignore' });
  if (!isThere(name)) throw new RangeError(remedy);
}

function isThere(name: keyof typeof PROGRAMS): boolean {
  return spawnSync(name, [PROGRAMS[name].versionFlag], { stdio: 'ignore' }).status === 0;
}
