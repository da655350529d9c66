import { afterEach, describe, expect, it, vi } from 'vitest';
import { printJson, printRows, say, showControls } from './output.ts';

const ESCAPE = '\u001b[2J\u009b1m\u202ereversed\rover\u0007';

afterEach(() => vi.restoreAllMocks());

/** What is written to a stream meanwhile. */
function written(stream: NodeJS.WriteStream, act: () => void): string {
  let text = '';
  vi.spyOn(stream, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  act();
  return text;
}

describe('what hosts and descriptors say', () => {
  it('cannot steer the terminal through a table', () => {
    const table = written(process.stdout, () =>
      printRows('table', [{ name: `a${ESCAPE}\nb`, labels: { site: ESCAPE } }], ['name', 'labels']),
    );
    expect(table).toMatch(/^[\n\x20-\x7e]*$/);
    expect(table.trim().split('\n')).toHaveLength(2);
    expect(table).toContain(String.raw`a\u001b[2J\u009b1m\u202ereversed\u000dover\u0007 b`);
  });

  it('cannot steer it through a remark', () => {
    expect(written(process.stderr, () => say(`two\nlines ${ESCAPE}`))).toMatch(/^two\nlines [\x20-\x7e]*\n$/);
  });

  it('is the same value for programs', () => {
    const text = written(process.stdout, () => printJson({ name: ESCAPE }));
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
    expect(JSON.parse(text)).toEqual({ name: ESCAPE });
  });

  it('keeps letters of every script', () => {
    expect(showControls('Größe ÷ 温度 😀')).toBe('Größe ÷ 温度 😀');
  });
});
