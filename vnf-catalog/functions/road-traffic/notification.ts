import type { Observation } from './figures.ts';

export type ParsedNotification =
  | { readonly kind: 'observation'; readonly observation: Observation }
  /** A verification, a deletion notice, or an event that has no figures. */
  | { readonly kind: 'other' }
  | { readonly kind: 'invalid' };

type Fields = Readonly<Record<string, unknown>>;

/** What a notification primitive's content (m2m:sgn) says. */
export function parseNotification(content: unknown): ParsedNotification {
  const sgn = fieldsOf(fieldsOf(content)?.['m2m:sgn']);
  if (sgn === undefined) return { kind: 'invalid' };
  const instance = fieldsOf(fieldsOf(fieldsOf(sgn['nev'])?.['rep'])?.['m2m:cin']);
  const { sur } = sgn;
  if (instance === undefined || typeof sur !== 'string') return { kind: 'other' };
  const { ri, ct, con } = instance;
  if (typeof ri !== 'string' || typeof ct !== 'string') return { kind: 'invalid' };
  return { kind: 'observation', observation: { sensor: sensorOf(sur), ri, ct, value: valueOf(con) } };
}

/** `/id-in/cse-in/sensor/data/road-traffic` is the subscription; its container is the sensor. */
function sensorOf(sur: string): string {
  const segments = sur.split('/');
  return segments.slice(segments[0] === '' ? 2 : 0, -1).join('/');
}

function valueOf(content: unknown): number | undefined {
  const raw = fieldsOf(content)?.['value'] ?? content;
  const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
