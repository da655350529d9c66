import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const REMEDY =
  'the message broker of the demo is nats-server 2.9 or newer: install it (Debian and Ubuntu: apt-get install nats-server) and run the demo again';

/** Makes sure that nats-server is on PATH, by apt where that is possible. @throws RangeError that says what to install */
export function provideNatsServer(say: (text: string) => void): void {
  if (isThere()) return;
  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!canInstall) throw new RangeError(REMEDY);
  say('installing nats-server');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'nats-server'], {
    env,
    stdio: 'ignore',
  });
  if (!isThere()) throw new RangeError(REMEDY);
}

function isThere(): boolean {
  return spawnSync('nats-server', ['--version'], { stdio: 'ignore' }).status === 0;
}
