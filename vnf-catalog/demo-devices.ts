/**
 * Simulated devices for the virtual CSE: the road sensors of `data/road-traffic`, each an AE of its own that writes its
 * values through a gateway, with an account of what was sent, what was acknowledged, and what is stored in the end.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IotmanoError, randomIds, systemClock, type Clock, type IdSource } from '../kernel/index.ts';
import { McaClient, RESOURCE_TYPE, RSC, type McaAnswer, type McaRequest } from './shared/index.ts';

export const SENSOR_LABEL = 'road-sensor';
const DATA = join(import.meta.dirname, 'data', 'road-traffic');
/** Gaps of days are in the data; a device that is silent so long is no use in a demo. */
const LONGEST_STEP_SECONDS = 600;
const PAGE = 500;

export interface SensorRow {
  /** Place in the file, from 0: names the value for ever. */
  readonly row: number;
  readonly time: string;
  readonly value: number;
}

export interface Sensor {
  /** Name of its AE, e.g. `speed-6005`. */
  readonly name: string;
  readonly originator: string;
  /** Structured address of the container of its values. */
  readonly container: string;
  readonly rows: readonly SensorRow[];
}

export interface DeviceOptions {
  /** Points of access of the gateways, e.g. `http://127.0.0.1:8080`; each device prefers one and goes to the next when it must. */
  readonly gateways: readonly string[];
  readonly signal?: AbortSignal;
  /** How long a device waits for one answer; then it tries again under the same X-M2M-RI. */
  readonly deadlineMs?: number;
  /** AE-ID of the application that may subscribe to the sensors. */
  readonly reader?: string;
  readonly cseName?: string;
  readonly clock?: Clock;
  readonly ids?: IdSource;
}

export interface PlayOptions extends DeviceOptions {
  /** Absent: all of the data folder. */
  readonly sensors?: readonly Sensor[];
  /** At most so many rows of each sensor. */
  readonly rows: number;
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

/** The sensors of the data folder, one for each file. */
export function loadSensors(cseName = 'cse-in'): readonly Sensor[] {
  return readdirSync(DATA)
    .filter((file) => file.endsWith('.csv'))
    .toSorted()
    .map((file) => {
      const name = file
        .replace(/\.csv$/, '')
        .replaceAll('_', '-')
        .toLowerCase();
      const [, ...lines] = readFileSync(join(DATA, file), 'utf8').trim().split(/\r?\n/);
      const rows = lines.map((line, row) => {
        const [time = '', value = ''] = line.split(',');
        return { row, time, value: Number(value) };
      });
      return { name, originator: `C${name}`, container: `${cseName}/${name}/values`, rows };
    });
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
 * Plays the sensors' values as contentInstances, each device one after the other, until the rows are through or the signal
 * is aborted. A value whose fate is unknown then counts as sent.
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
    for (const row of sensor.rows.slice(from, from + options.rows)) {
      await clock.sleep(pauseBetween(previous, row, options.speed), options.signal);
      if (options.signal?.aborted === true) return;
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
export function accountStored(stored: readonly StoredValue[], played: PlayAccount): StoredAccount {
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

/**
 * Asks, at the preferred gateway first, until there is an answer that is not a passing trouble: always under one request
 * id, so that it is done once. @throws IotmanoError `unavailable` when the signal is aborted before that
 */
async function untilAnswered(
  client: McaClient,
  request: Omit<McaRequest, 'requestId'>,
  options: DeviceOptions,
  preferred: number,
): Promise<{ answer: McaAnswer; attempts: number }> {
  const { gateways, signal, deadlineMs = 30_000, clock = systemClock, ids = randomIds } = options;
  const requestId = ids.uuid();
  for (let attempts = 1; ; attempts += 1) {
    const gateway = gateways[(preferred + attempts - 1) % gateways.length] ?? '';
    try {
      const answer = await client.request(gateway, { ...request, requestId }, deadlineMs);
      if (answer.rsc !== RSC.requestTimeout && answer.rsc !== RSC.internalServerError && answer.rsc !== 0) {
        return { answer, attempts };
      }
    } catch {
      // The gateway is away or was cut off: the next attempt tells.
    }
    await clock.sleep(Math.min(100 * attempts, 1_000), signal);
    if (signal?.aborted === true)
      throw new IotmanoError('unavailable', `${request.path}: stopped before an answer came`);
  }
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

function valuesOf(answer: McaAnswer, sensor: Sensor): readonly StoredValue[] {
  const container = answer.content['m2m:cnt'] as
    { 'm2m:cin'?: readonly { ri: string; con: { row: number } }[] } | undefined;
  return (container?.['m2m:cin'] ?? []).map(({ ri, con }) => ({ sensor: sensor.name, row: con.row, ri }));
}

function unexpected(what: string, answer: McaAnswer): IotmanoError {
  const content = JSON.stringify(answer.content).slice(0, 200);
  return new IotmanoError('unprocessable', `${what} was answered with ${answer.rsc}: ${content}`);
}
