import { spawnSync } from 'node:child_process';

/**
 * Outside programs and engines that some suites need, how to see that one is there, and how a person gets it. `docker` honours
 * DOCKER_HOST; `kubernetes` needs KUBECONFIG set, so that nobody's everyday cluster becomes a test bed by default.
 */
const SERVICES = {
  'nats-server': {
    probe: ['nats-server', '--version'],
    remedy: 'install nats-server 2.9 or newer (Debian: apt-get install nats-server)',
  },
  haproxy: {
    probe: ['haproxy', '-v'],
    remedy: 'install HAProxy 2.4 or newer (Debian: apt-get install haproxy)',
  },
  openssl: {
    probe: ['openssl', 'version'],
    remedy: 'install OpenSSL 3 (Debian: apt-get install openssl)',
  },
  docker: {
    probe: ['docker', 'version', '--format', '{{.Server.Version}}'],
    remedy:
      'install the docker command and start an engine, or name one in DOCKER_HOST (Debian: apt-get install docker.io)',
  },
  kubernetes: {
    probe: ['kubectl', 'get', '--raw', '/readyz', '--request-timeout=5s'],
    requires: 'KUBECONFIG',
    remedy: 'install kubectl and name the kubeconfig of a cluster for tests in KUBECONFIG',
  },
} as const satisfies Readonly<
  Record<string, { readonly probe: readonly string[]; readonly requires?: string; readonly remedy: string }>
>;

export type ServiceName = keyof typeof SERVICES;

/** A service that does not answer within this is not there. */
const PROBE_MILLISECONDS = 10_000;

/**
 * Whether a suite that needs the service is to be skipped. Names what is missing and how to have it;
 * with CI=true a missing service is a failure instead.
 * @example describe.skipIf(isServiceMissing('nats-server'))('message broker', () => …)
 */
export function isServiceMissing(name: ServiceName): boolean {
  if (isThere(name)) return false;
  const { remedy } = SERVICES[name];
  if (process.env['CI'] === 'true')
    throw new Error(`${name} is missing and nothing is skipped in CI: ${remedy}`);
  process.stderr.write(`skipped: a suite that needs ${name}: ${remedy}\n`);
  return true;
}

/** How a person gets the service. */
export function remedyFor(name: ServiceName): string {
  return SERVICES[name].remedy;
}

function isThere(name: ServiceName): boolean {
  const service = SERVICES[name];
  if ('requires' in service && (process.env[service.requires] ?? '') === '') return false;
  const [command, ...args] = service.probe;
  return spawnSync(command, args, { stdio: 'ignore', timeout: PROBE_MILLISECONDS }).status === 0;
}
