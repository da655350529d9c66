import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';
import { findInstance, instancesOf, type NsInstance, type VnfcInstanceRow } from './services.ts';

/** A function whose capacity is declared, not what the machine computes. */
export interface DeclaredCapacity {
  readonly function: string;
  /** 0: as long as it takes. */
  readonly serviceMilliseconds: number;
  /** Of one instance; 0: no limit. */
  readonly concurrency: number;
}

/** What devices talk to: points of access that may come and go, and what is known of what stands behind. */
export interface LoadTarget {
  readonly urls: () => readonly string[];
  /** Running copies by function; undefined where nobody knows. */
  readonly instances: (() => Readonly<Record<string, number>>) | undefined;
  readonly cseName: string | undefined;
  readonly declared: readonly DeclaredCapacity[];
  /** Looks again. */
  readonly refresh: () => Promise<void>;
}

/** Products that face devices, the best to talk to first. */
const FACING = ['load-balancer', 'field-device-http'];
/** Name of the port that devices connect to. */
const PORT = 'http';

/** Fixed points of access of any CSE. */
export function fixedTarget(urls: readonly string[]): LoadTarget {
  return {
    urls: () => urls,
    instances: undefined,
    cseName: undefined,
    declared: [],
    refresh: () => Promise.resolve(),
  };
}

/**
 * The points of access of a service: of the function of that name, else of its load balancer, else of its gateways.
 * @throws CliFailure when it has none that runs
 */
export async function serviceTarget(
  client: Client,
  service: string,
  functionName: string | undefined,
): Promise<LoadTarget> {
  const instance = await findInstance(client, service);
  const facing = functionName ?? facingFunction(instance);
  let rows: readonly VnfcInstanceRow[] = [];
  const refresh = async (): Promise<void> => {
    rows = await instancesOf(client, instance);
  };
  await refresh();
  const urls = (): readonly string[] => rows.filter((row) => row.function === facing).flatMap(urlOf);
  if (urls().length === 0)
    throw new CliFailure(
      EXIT.notFound,
      `no running copy of "${facing ?? 'a function that faces devices'}" in ${instance.nsInstanceName} has a port "${PORT}"; name another function with --function (see "iotmano ps --service ${instance.nsInstanceName}"), or a point of access with --gateway`,
    );
  const cseName = instance.parameters?.['cseName'];
  return {
    urls,
    refresh,
    instances: () => countRunning(rows),
    cseName: typeof cseName === 'string' ? cseName : undefined,
    declared: declaredCapacities(instance),
  };
}

function facingFunction({ vnfInstance = [] }: NsInstance): string | undefined {
  const byProduct = FACING.map((product) => vnfInstance.find((item) => item.vnfProductName === product));
  return byProduct.find((item) => item !== undefined)?.extensions?.constituent;
}

function urlOf({ state, endpoints = [] }: VnfcInstanceRow): readonly string[] {
  if (state !== 'RUNNING') return [];
  return endpoints
    .filter((endpoint) => endpoint.startsWith(`${PORT}=`))
    .map((endpoint) => `http://${endpoint.slice(PORT.length + 1)}`);
}

function countRunning(rows: readonly VnfcInstanceRow[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const row of rows) {
    if (row.state === 'RUNNING') counts[row.function] = (counts[row.function] ?? 0) + 1;
  }
  return counts;
}

function declaredCapacities({ vnfInstance = [] }: NsInstance): readonly DeclaredCapacity[] {
  return vnfInstance.flatMap(({ vnfConfigurableProperties: config = {}, extensions }) => {
    const [serviceMilliseconds, concurrency] = ['serviceMilliseconds', 'concurrency'].map((name) =>
      Number(config[name] ?? 0),
    );
    if (!serviceMilliseconds && !concurrency) return [];
    return [
      {
        function: extensions?.constituent ?? '',
        serviceMilliseconds: serviceMilliseconds ?? 0,
        concurrency: concurrency ?? 0,
      },
    ];
  });
}
