/** What became of one case over one driver. */
export interface ConformanceCase {
  readonly driver: string;
  /** The case, by where it stands in the suite. */
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly reason?: string;
  /** With what size it was run. */
  readonly note?: string;
}

export interface CaseCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** How many of each driver's cases passed, failed and were skipped. */
export function countByDriver(cases: readonly ConformanceCase[]): Readonly<Record<string, CaseCounts>> {
  const counts: Record<string, CaseCounts> = {};
  for (const { driver, state } of cases) {
    const before = counts[driver] ?? { passed: 0, failed: 0, skipped: 0 };
    counts[driver] = { ...before, [state]: before[state] + 1 };
  }
  return counts;
}

/** Cases × drivers as text, and below it why what was skipped or failed. */
export function renderTable(cases: readonly ConformanceCase[]): string {
  const drivers = [...new Set(cases.map(({ driver }) => driver))];
  const titles = [...new Set(cases.map(({ title }) => title))];
  const byPlace = new Map(cases.map((one) => [`${one.driver}\n${one.title}`, one]));
  const cellOf = (driver: string, title: string): string => {
    const { state = '-', note } = byPlace.get(`${driver}\n${title}`) ?? {};
    const word = state === 'failed' ? 'FAILED' : state;
    return note === undefined ? word : `${word} (${note})`;
  };
  const rows = titles.map((title) => [title, ...drivers.map((driver) => cellOf(driver, title))]);
  return [...renderRows(['case', ...drivers], rows), ...renderReasons(cases)].join('\n');
}

function renderRows(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)];
}

/** One line for every reason of a driver, however many cases share it. */
function renderReasons(cases: readonly ConformanceCase[]): string[] {
  const shared = new Map<string, string[]>();
  for (const { driver, title, state, reason } of cases) {
    if (state === 'passed') continue;
    const what = state === 'failed' ? 'FAILED' : 'skipped';
    const key = `${driver}: ${what}: ${(reason ?? 'no reason is known').replaceAll(/\s+/g, ' ')}`;
    shared.set(key, [...(shared.get(key) ?? []), title]);
  }
  if (shared.size === 0) return [];
  const lines = [...shared].map(
    ([key, titles]) => `${key} (${titles.length === 1 ? titles[0] : `${titles.length} cases`})`,
  );
  return ['', ...lines];
}
