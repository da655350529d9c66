/** One sample of a Prometheus text exposition (format 0.0.4). */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly kind: 'counter' | 'gauge';
}

export interface ParsedText {
  readonly samples: readonly Sample[];
  /** Lines that are not as the format says; they are skipped. */
  readonly badLines: number;
  /** Samples beyond the limit. */
  readonly dropped: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}/;
const LABEL = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,?)/;
const TYPE = /^#\s*TYPE\s+(\S+)\s+(\S+)/;
const MAX_LABELS = 32;
const MAX_LABEL_CHARACTERS = 400;
const MAX_LINE_CHARACTERS = 8192;

/**
 * Reads what a function shows at its metrics endpoint. Whatever comes, it ends, in time linear in the text, and holds at most `maxSamples`.
 * Timestamps are left out: what is scraped now is of now.
 */
export function parsePrometheusText(text: string, maxSamples: number): ParsedText {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  let badLines = 0;
  let dropped = 0;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '') continue;
    if (line.startsWith('#')) {
      const [, name, type] = TYPE.exec(line) ?? [];
      if (name !== undefined && type !== undefined) types.set(name, type);
      continue;
    }
    const sample = line.length > MAX_LINE_CHARACTERS ? undefined : parseSample(line, types);
    if (sample === undefined) badLines += 1;
    else if (samples.length >= maxSamples) dropped += 1;
    else if (Number.isFinite(sample.value)) samples.push(sample);
  }
  return { samples, badLines, dropped };
}

function parseSample(line: string, types: ReadonlyMap<string, string>): Sample | undefined {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) return undefined;
  const labelled = parseLabels(line.slice(name.length));
  if (labelled === undefined) return undefined;
  const fields = labelled.rest.trim().split(/\s+/);
  const value = parseValue(fields[0]);
  if (value === undefined || fields.length > 2) return undefined;
  return { name, labels: labelled.labels, value, kind: kindOf(name, types) };
}

function parseLabels(text: string): { labels: Record<string, string>; rest: string } | undefined {
  let rest = text.trimStart();
  if (!rest.startsWith('{')) return { labels: {}, rest };
  rest = rest.slice(1);
  const labels: [string, string][] = [];
  for (;;) {
    const end = /^\s*\}/.exec(rest);
    if (end !== null) return { labels: Object.fromEntries(labels), rest: rest.slice(end[0].length) };
    const [whole, name, value] = LABEL.exec(rest) ?? [];
    if (whole === undefined || name === undefined || labels.length >= MAX_LABELS) return undefined;
    labels.push([name, unescape(value ?? '').slice(0, MAX_LABEL_CHARACTERS)]);
    rest = rest.slice(whole.length);
  }
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

function parseValue(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** Parts of histograms and summaries only grow, but for the quantiles. */
function kindOf(name: string, types: ReadonlyMap<string, string>): Sample['kind'] {
  const own = types.get(name);
  if (own !== undefined) return own === 'counter' ? 'counter' : 'gauge';
  const family = types.get(name.replace(/_(bucket|sum|count|total)$/, ''));
  return family === 'counter' || family === 'histogram' || (family === 'summary' && family !== name)
    ? 'counter'
    : 'gauge';
}
