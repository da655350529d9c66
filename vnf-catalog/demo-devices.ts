/**
 * Simulated devices for the virtual CSE: the road sensors of `data/road-traffic`, each an AE of its own that writes its
 * values through a gateway, with an account of what was sent, what was acknowledged, and what is stored in the end.
 */
import { systemClock } from '../kernel/index.ts';
import { unexpected, untilAnswered, type DeviceOptions } from './demo-device-link.ts';
import { loadSensors, SENSOR_LABEL, type Sensor, type SensorRow } from './demo-sensors.ts';
import { McaClient, RESOURCE_TYPE, RSC, type McaAnswer } from './shared/index.ts';

export { accountStored, readStored, type StoredAccount, type StoredValue } from './demo-account.ts';
export type { DeviceOptions } from './demo-device-link.ts';
export { loadSensors, SENSOR_LABEL, type Sensor, type SensorRow } from './demo-sensors.ts';

/** Gaps of days are in the data; a device that is silent so long is no use in a demo. */
const LONGEST_STEP_SECONDS = 600;

export interface PlayOptions extends DeviceOptions {
  /** Absent: all of the data folder. */
  readonly sensors?: readonly Sensor[];
  /** At most so many rows of each sensor; absent: all. */
  readonly rows?: number;
  /** Once aborted no further value is begun; those under way still get their answers. */
  readonly ending?: AbortSignal;
  /** Row of each file to begin with. */
  readonly from?: number;
  /** Times faster than it happened: at 600, a step of 5 minutes takes half a second. */
  readonly speed: number;
  readonly onAck?: (acknowledgement: Acknowledgement) => void;
}

export interface Acknowledgement {
  readonly sensor: string;
  readonly row: number;
  /** Resource id of the contentInstance. */
  readonly ri: string;
  readonly milliseconds: number;
  /** Requests it took. */
  readonly attempts: number;
}

/** What the devices know; `sent` counts values, not attempts. */
export interface PlayAccount {
  readonly sent: number;
  readonly acknowledged: number;
  readonly attempts: number;
  readonly resourceIds: readonly string[];
  readonly acknowledgements: readonly Acknowledgement[];
  /** Answers that were neither success nor worth trying again, in words. */
  readonly refused: readonly string[];
}

/** Registers each device with its access control policy and container; what is there already stays. */
export async function registerSensors(sensors: readonly Sensor[], options: DeviceOptions): Promise<void> {
  const client = new McaClient();
  const cseName = options.cseName ?? 'cse-in';
  try {
    await Promise.all(
      sensors.map(async (sensor, index) => {
        const { name, originator } = sensor;
        const own = { acor: [originator], acop: 63 };
        const reader = { acor: [options.reader ?? 'CroadTraffic'], acop: 34 };
        const creations: readonly (readonly [string, number, unknown])[] = [
          [cseName, RESOURCE_TYPE.ae, { 'm2m:ae': { rn: name, api: 'Nroad-sensor', rr: false, srv: ['4'] } }],
          [
            `${cseName}/${name}`,
            RESOURCE_TYPE.acp,
            { 'm2m:acp': { rn: 'policy', pv: { acr: [own, reader] }, pvs: { acr: [own] } } },
          ],
          [
            `${cseName}/${name}`,
            RESOURCE_TYPE.container,
            { 'm2m:cnt': { rn: 'values', acpi: [`${cseName}/${name}/policy`], lbl: [SENSOR_LABEL] } },
          ],
        ];
        for (const [path, ty, content] of creations) {
          const request = { method: 'POST', path: `/${path}`, originator, ty, content } as const;
          const { answer } = await untilAnswered(client, request, options, index);
          const isThere = [RSC.created, RSC.conflict, RSC.originatorHasAlreadyRegistered].includes(
            answer.rsc as never,
          );
          if (!isThere) throw unexpected(request.path, answer);
        }
      }),
    );
  } finally {
    client.close();
  }
}

/**
 * Plays the sensors' values as contentInstances, each device one after the other, until the rows are through or one of the
 * signals is aborted. With `signal` a value may be left whose fate is unknown; it counts as sent.
 */
export async function playSensors(options: PlayOptions): Promise<PlayAccount> {
  const client = new McaClient();
  const clock = options.clock ?? systemClock;
  const acknowledgements: Acknowledgement[] = [];
  const refused: string[] = [];
  let sent = 0;
  let attempts = 0;
  const play = async (sensor: Sensor, index: number): Promise<void> => {
    const from = options.from ?? 0;
    let previous: SensorRow | undefined;
    for (const row of sensor.rows.slice(from, from + (options.rows ?? Infinity))) {
      await clock.sleep(pauseBetween(previous, row, options.speed), options.signal);
      if (options.signal?.aborted === true || options.ending?.aborted === true) return;
      previous = row;
      sent += 1;
      const started = clock.monotonic();
      const result = await createValue(client, sensor, row, options, index).catch(() => undefined);
      if (result === undefined) return;
      attempts += result.attempts;
      const ri = resourceIdOf(result.answer);
      if (result.answer.rsc !== RSC.created || ri === undefined) {
        refused.push(unexpected(`${sensor.container} row ${row.row}`, result.answer).message);
        continue;
      }
      const milliseconds = clock.monotonic() - started;
      const acknowledgement = {
        sensor: sensor.name,
        row: row.row,
        ri,
        milliseconds,
        attempts: result.attempts,
      };
      acknowledgements.push(acknowledgement);
      options.onAck?.(acknowledgement);
    }
  };
  try {
    const sensors = options.sensors ?? loadSensors(options.cseName);
    await Promise.all(sensors.map(play));
  } finally {
    client.close();
  }
  const resourceIds = acknowledgements.map(({ ri }) => ri);
  return { sent, acknowledged: acknowledgements.length, attempts, resourceIds, acknowledgements, refused };
}

function createValue(
  client: McaClient,
  sensor: Sensor,
  row: SensorRow,
  options: DeviceOptions,
  index: number,
): Promise<{ answer: McaAnswer; attempts: number }> {
  const { originator, container } = sensor;
  const content = { 'm2m:cin': { con: { row: row.row, time: row.time, value: row.value } } };
  const request = {
    method: 'POST',
    path: `/${container}`,
    originator,
    ty: RESOURCE_TYPE.contentInstance,
    content,
  } as const;
  return untilAnswered(client, request, options, index);
}

function pauseBetween(previous: SensorRow | undefined, row: SensorRow, speed: number): number {
  if (previous === undefined) return 0;
  const step = (Date.parse(`${row.time}Z`) - Date.parse(`${previous.time}Z`)) / 1000;
  return (Math.min(Math.max(step, 0), LONGEST_STEP_SECONDS) * 1000) / speed;
}

function resourceIdOf(answer: McaAnswer): string | undefined {
  const instance = answer.content['m2m:cin'] as { ri?: unknown } | undefined;
  return typeof instance?.ri === 'string' ? instance.ri : undefined;
}
