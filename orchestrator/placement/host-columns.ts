import type { HostSnapshot } from './types.ts';

/** Columns that are no labels: no label can have such a name in an expression without quotes, and none is looked up by a request's own text. */
export const COLUMNS = {
  standing: '\0standing',
  tier: '\0tier',
  architecture: '\0architecture',
  jurisdiction: '\0jurisdiction',
  artifactTypes: '\0artifactTypes',
  tenants: '\0tenants',
  taints: '\0taints',
  reachableFrom: '\0reachableFrom',
  routes: '\0routes',
  metered: '\0metered',
} as const;

export const READY = 'READY';

/** What a host is, as texts by column. */
export function columnsOf(host: HostSnapshot): Readonly<Record<string, string>> {
  return {
    ...host.labels,
    [COLUMNS.standing]: standingOf(host),
    [COLUMNS.tier]: host.tier,
    [COLUMNS.architecture]: host.architecture,
    [COLUMNS.artifactTypes]: host.artifactTypes.join(' '),
    ...(host.jurisdiction === undefined ? {} : { [COLUMNS.jurisdiction]: host.jurisdiction }),
    ...(host.tenants.length === 0 ? {} : { [COLUMNS.tenants]: host.tenants.join(' ') }),
    ...(host.taints === undefined || host.taints.length === 0
      ? {}
      : { [COLUMNS.taints]: JSON.stringify(host.taints) }),
    ...(host.reachableFrom === undefined
      ? {}
      : { [COLUMNS.reachableFrom]: JSON.stringify(host.reachableFrom) }),
    ...(host.uplink?.jurisdictions === undefined
      ? {}
      : { [COLUMNS.routes]: host.uplink.jurisdictions.join(' ') }),
    ...(host.uplink?.isMetered === true ? { [COLUMNS.metered]: 'yes' } : {}),
  };
}

/** `READY`, or why nothing new is placed on it. */
function standingOf({ state, isDisputed, isDraining }: HostSnapshot): string {
  return [state, ...(isDisputed ? ['disputed'] : []), ...(isDraining ? ['draining'] : [])].join(', ');
}
