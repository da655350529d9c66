import { unexpected, untilAnswered, type DeviceOptions } from './demo-device-link.ts';
import type { Sensor } from './demo-sensors.ts';
import { McaClient, RESOURCE_TYPE, RSC, type McaAnswer } from './shared/index.ts';

/** Values that are asked for at once. */
const PAGE = 500;

export interface StoredValue {
  readonly sensor: string;
  readonly row: number;
  readonly ri: string;
}

export interface StoredAccount {
  readonly stored: number;
  /** Values stored more than once. */
  readonly duplicates: number;
  /** Stored, though the device was never told. */
  readonly storedUnacknowledged: number;
  /** Acknowledged, yet not there: must be empty. */
  readonly missing: readonly string[];
  readonly resourceIds: readonly string[];
}

/** Reads back everything that the sensors' containers hold, page by page. */
export async function readStored(
  sensors: readonly Sensor[],
  options: DeviceOptions,
): Promise<readonly StoredValue[]> {
  const client = new McaClient();
  const stored: StoredValue[] = [];
  try {
    for (const [index, sensor] of sensors.entries()) {
      let offset: number | undefined = 0;
      while (offset !== undefined) {
        const query = `rcn=8&ty=${RESOURCE_TYPE.contentInstance}&lvl=1&lim=${PAGE}&ofst=${offset}`;
        const request = {
          method: 'GET',
          path: `/${sensor.container}?${query}`,
          originator: sensor.originator,
        } as const;
        const { answer } = await untilAnswered(client, request, options, index);
        if (answer.rsc !== RSC.ok) throw unexpected(request.path, answer);
        stored.push(...valuesOf(answer, sensor));
        offset = answer.continuesAt;
      }
    }
  } finally {
    client.close();
  }
  return stored;
}

/** Compares what is stored with what the devices know. */
export function accountStored(
  stored: readonly StoredValue[],
  played: { readonly resourceIds: readonly string[] },
): StoredAccount {
  const resourceIds = stored.map(({ ri }) => ri);
  const known = new Set(played.resourceIds);
  const there = new Set(resourceIds);
  const values = new Set(stored.map(({ sensor, row }) => `${sensor}/${row}`));
  return {
    stored: stored.length,
    duplicates: stored.length - values.size,
    storedUnacknowledged: resourceIds.filter((ri) => !known.has(ri)).length,
    missing: played.resourceIds.filter((ri) => !there.has(ri)),
    resourceIds,
  };
}

function valuesOf(answer: McaAnswer, sensor: Sensor): readonly StoredValue[] {
  const container = answer.content['m2m:cnt'] as
    { 'm2m:cin'?: readonly { ri: string; con: { row: number } }[] } | undefined;
  return (container?.['m2m:cin'] ?? []).map(({ ri, con }) => ({ sensor: sensor.name, row: con.row, ri }));
}
