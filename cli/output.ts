import Table from 'cli-table3';

export type OutputFormat = 'table' | 'json';

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Prints rows as a table for people, or as one JSON document for programs. */
export function printRows(
  format: OutputFormat,
  rows: readonly object[],
  columns: readonly string[],
  all: unknown = rows,
): void {
  if (format === 'json') {
    printJson(all);
    return;
  }
  process.stdout.write(formatRows(rows, columns));
}

/** Rows as a table, in lines. */
export function formatRows(rows: readonly object[], columns: readonly string[]): string {
  if (rows.length === 0) return 'nothing to show\n';
  const table = new Table({
    head: columns.map((column) => column.toUpperCase()),
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push(columns.map((column) => cell((row as Record<string, unknown>)[column])));
  return `${table.toString().replaceAll(/ +$/gm, '')}\n`;
}

export function printJson(value: unknown): void {
  process.stdout.write(`${showControls(JSON.stringify(value, null, 2))}\n`);
}

/**
 * Makes control characters visible, all but line feed and tab: labels, names and reasons come from hosts and descriptors, and must not
 * move the cursor of whoever looks at them. The notation is also that of JSON.
 */
export function showControls(text: string): string {
  return text.replaceAll(
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Prints a result for people: what is in it comes from hosts and descriptors. */
export function printText(text: string): void {
  process.stdout.write(showControls(text));
}

/** Progress and remarks: on stderr, so that stdout stays for results. */
export function say(text: string): void {
  process.stderr.write(`${showControls(text)}\n`);
}

function cell(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  return showControls(typeof value === 'string' ? value.replaceAll(/[\n\t]/g, ' ') : JSON.stringify(value));
}

/** "3m", "2h", "5d": how long ago, for tables. */
export function age(timestamp: string | undefined, nowMilliseconds: number): string {
  if (timestamp === undefined) return '-';
  const seconds = Math.max(0, Math.round((nowMilliseconds - Date.parse(timestamp)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
