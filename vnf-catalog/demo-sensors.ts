import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Containers of sensors have it, so that applications find them. */
export const SENSOR_LABEL = 'road-sensor';
const DATA = join(import.meta.dirname, 'data', 'road-traffic');

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
