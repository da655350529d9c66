import type { components } from '../api-specs/generated/iotmano.ts';
import { formatRows } from './output.ts';
import { amount, partsText } from './placement-text.ts';

export type HostExplanation = components['schemas']['HostExplanation'];
type Amounts = components['schemas']['HostAmounts'];

/** An explanation of a host for people: what it offers, what runs there, and what it is to each function. */
export function hostText(explanation: HostExplanation): string {
  return [
    fieldsText(headOf(explanation)),
    ...placedText(explanation),
    ...functionsText(explanation),
    ...(explanation.more > 0
      ? [`${explanation.more} more functions were not looked into; name one, or a service, with --for\n`]
      : []),
  ].join('\n');
}

type Field = readonly [name: string, value: string];

function headOf({ hostId, state, draining, disputed, offer }: HostExplanation): readonly Field[] {
  const standing = [state, ...(disputed ? ['disputed'] : []), ...(draining ? ['being drained'] : [])];
  const head: Field[] = [
    ['host', hostId],
    ['state', standing.join(', ')],
  ];
  if (offer === undefined) return [...head, ['offer', 'it has not told its facts yet']];
  const { allocatable, free, jurisdiction, costPerHour, availability } = offer;
  return [
    ...head,
    ['tier', offer.tier],
    ['architecture', offer.architecture],
    ...optional('jurisdiction', jurisdiction),
    ['runs', offer.artifactTypes.join(', ') || 'nothing'],
    ...list('labels', freeLabels(offer.labels)),
    ...list('tenants', offer.tenants),
    ['allocatable', amountsText(allocatable)],
    ['free', amountsText(free)],
    ...list('ports in use', offer.portsInUse),
    ...list(
      'taints',
      offer.taints.map(({ text, effect }) => `${text} (${effect})`),
    ),
    ...list(
      'latencies',
      offer.latencies.map(({ to, p95Milliseconds }) => `${to} ${amount(p95Milliseconds)} ms`),
    ),
    ...list('reachable from', offer.reachableFrom ?? []),
    ...optional('cost per hour', costPerHour),
    ...optional('availability', availability),
  ];
}

function optional(name: string, value: string | number | undefined): readonly Field[] {
  return value === undefined ? [] : [[name, String(value)]];
}

function list(name: string, values: readonly string[]): readonly Field[] {
  return values.length === 0 ? [] : [[name, values.join(', ')]];
}

/** Those that say nothing that is said already. */
function freeLabels(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(labels)
    .filter(([key]) => !FACTS.includes(key))
    .map(([key, value]) => `${key}=${value}`);
}

const FACTS: readonly string[] = ['host', 'tier', 'architecture', 'arch', 'jurisdiction'];

function fieldsText(fields: readonly Field[]): string {
  const width = Math.max(...fields.map(([name]) => name.length)) + 2;
  return fields.map(([name, value]) => `${name.padEnd(width)}${value}\n`).join('');
}

function placedText({ placed, others }: HostExplanation): readonly string[] {
  if (placed.length === 0 && others.instances === 0) return ['nothing is placed there\n'];
  const rows = [
    ...placed.map(({ function: name, unit, instances, takes }) => ({
      'placed there': name,
      unit,
      instances,
      takes: amountsText(takes),
    })),
    ...(others.instances === 0
      ? []
      : [
          {
            'placed there': '(other tenants)',
            instances: others.instances,
            takes: amountsText(others.takes),
          },
        ]),
  ];
  return [formatRows(rows, ['placed there', 'unit', 'instances', 'takes'])];
}

function functionsText({ functions }: HostExplanation): readonly string[] {
  if (functions.length === 0) return [];
  const rows = functions.map(
    ({ function: name, unit, instancesHere, rank, candidates, score, parts, against }) => ({
      function: name,
      unit,
      here: instancesHere,
      'may run': rank === undefined ? 'no' : 'yes',
      rank: rank === undefined ? undefined : `${ordinal(rank)} of ${candidates}`,
      score: score === undefined ? undefined : amount(score),
      why: parts === undefined ? against.join('; ') : partsText(parts, Infinity),
    }),
  );
  return [formatRows(rows, ['function', 'unit', 'here', 'may run', 'rank', 'score', 'why'])];
}

/** 1 → "1st", 12 → "12th" */
export function ordinal(place: number): string {
  const isTeen = place % 100 >= 11 && place % 100 <= 13;
  const ending = isTeen ? 'th' : (['th', 'st', 'nd', 'rd'][place % 10] ?? 'th');
  return `${place}${ending}`;
}

function amountsText({ cpuMillis, memoryBytes, storageBytes, devices = {} }: Amounts): string {
  return [
    `${amount(cpuMillis / 1000)} CPU`,
    `${mebibytes(memoryBytes)} memory`,
    ...(storageBytes === 0 ? [] : [`${mebibytes(storageBytes)} storage`]),
    ...Object.entries(devices).map(([name, count]) => `${count} ${name}`),
  ].join(', ');
}

function mebibytes(bytes: number): string {
  return bytes >= 2 ** 30
    ? `${Math.round((bytes / 2 ** 30) * 10) / 10} GiB`
    : `${Math.round((bytes / 2 ** 20) * 10) / 10} MiB`;
}
