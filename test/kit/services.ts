import { spawnSync } from 'node:child_process';

/** Outside programs that some suites need, how to see that one is there, and how a person gets it. */
const SERVICES = {
  'nats-server': {
    probe: ['nats-server', '--version'],
    remedy: 'install nats-server 2.9 or newer (Debian: apt-get install nats-server)',
  },
  openssl: {
    probe: ['openssl', 'version'],
    remedy: 'install OpenSSL 3 (Debian: apt-get install openssl)',
  },
} as const;

export type ServiceName = keyof typeof SERVICES;

/**
 * Whether a suite that needs the service is to be skipped. Names what is missing and how to have it;
 * with CI=true a missing service is a failure instead.
 * @example describe.skipIf(isServiceMissing('nats-server'))('message broker', () => …)
 */
export function isServiceMissing(name: ServiceName): boolean {
  const { probe, remedy } = SERVICES[name];
  const [command, ...args] = probe;
  if (spawnSync(command, args, { stdio: 'ignore' }).status === 0) return false;
  if (process.env['CI'] === 'true')
    throw new Error(`${name} is missing and nothing is skipped in CI: ${remedy}`);
  process.stderr.write(`skipped: a suite that needs ${name}: ${remedy}\n`);
  return true;
}
