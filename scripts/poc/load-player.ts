import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeclaredCapacity } from '../../cli/index.ts';
import type { LoadResult, ProgressFigures } from '../../load/index.ts';
import type { Installation } from '../demo/installation.ts';
import { DEMAND, DEVICES, REGISTERING } from './timetable.ts';

/** What `iotmano load play` writes of a whole play. */
export type PlayedLoad = LoadResult & { readonly declared: readonly DeclaredCapacity[] };

/** An `iotmano load play` beside the demonstration, and what it tells as it goes. */
export interface LoadPlayer {
  /** All seconds so far. */
  seconds(): readonly ProgressFigures[];
  /** When the play began, milliseconds since the Unix epoch, to about a tenth of a second; undefined until it has. */
  beganAt(): number | undefined;
  /** @throws RangeError when the command has ended by itself */
  requireGoing(): void;
  /** Ends the play; requests that are under way still get their answers. */
  end(): Promise<PlayedLoad>;
}

const END_SECONDS = 30;

/** @param trace as CSV, in requests per second */
export function startLoad(installation: Installation, service: string, trace: string): LoadPlayer {
  const [demand, progress, result] = ['demand.csv', 'load.progress', 'load.json'].map((name) =>
    join(installation.folder, name),
  ) as [string, string, string];
  writeFileSync(demand, trace);
  const line = `load play --service ${service} --devices ${DEVICES} --registering ${REGISTERING} --peak ${DEMAND.high}`;
  // Nothing is left of the service afterwards: what devices have registered may stay.
  const files = ['--keep', '--trace', demand, '--progress', progress, '--json', result];
  const running = installation.start('load', ...line.split(' '), ...files);
  let beganAt: number | undefined;
  const read = (): readonly ProgressFigures[] => {
    const text = existsSync(progress) ? readFileSync(progress, 'utf8') : '';
    // What follows the last line feed is not whole yet.
    const lines = text.split('\n').slice(0, -1);
    return lines.map((each) => JSON.parse(each) as ProgressFigures);
  };
  return {
    beganAt: () => beganAt,
    seconds() {
      const seconds = read();
      const last = seconds.at(-1);
      // A line comes when its second is over, or a little later: the earliest one is nearest.
      if (last !== undefined) beganAt = Math.min(beganAt ?? Infinity, Date.now() - last.second * 1000);
      return seconds;
    },
    requireGoing() {
      if (running.hasEnded()) throw new RangeError('the load ended before its time; see its log');
    },
    async end() {
      await running.stop(END_SECONDS);
      if (!existsSync(result)) throw new RangeError('the load left no result; see its log');
      return JSON.parse(readFileSync(result, 'utf8')) as PlayedLoad;
    },
  };
}
