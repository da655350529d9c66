import { readFileSync, statSync } from 'node:fs';
import { IotmanoError, messageOf } from '../kernel/index.ts';
import { GENERATED, generateTrace } from './generate-trace.ts';
import { parseTrace } from './parse-trace.ts';
import type { Trace } from './trace.ts';

const GENERATED_PREFIX = 'generated:';
const MAX_BYTES = 64 * 1024 ** 2;

/**
 * The trace of a file, or a generated one (`generated:NAME`).
 * @throws IotmanoError `invalid-parameter` naming what is wrong, where, and what to do
 */
export function readTrace(source: string, seed: number): Trace {
  if (source.startsWith(GENERATED_PREFIX)) {
    const wanted = source.slice(GENERATED_PREFIX.length);
    const name = GENERATED.find((known) => known === wanted);
    if (name !== undefined) return generateTrace(name, seed);
    throw new IotmanoError(
      'invalid-parameter',
      `there is no generated trace "${wanted}"; there are ${GENERATED.map((known) => GENERATED_PREFIX + known).join(', ')}`,
    );
  }
  return parseTrace(source, readText(source));
}

function readText(file: string): string {
  let bytes: number;
  try {
    bytes = statSync(file).size;
    if (bytes <= MAX_BYTES) return readFileSync(file, 'utf8');
  } catch (error) {
    throw new IotmanoError(
      'invalid-parameter',
      `the trace ${file} cannot be read (${messageOf(error)}); name a CSV file "timestamp,value", or one of ${GENERATED.map((known) => GENERATED_PREFIX + known).join(', ')}`,
    );
  }
  throw new IotmanoError(
    'invalid-parameter',
    `the trace ${file} has ${bytes} bytes, over ${MAX_BYTES}; take a part of it`,
  );
}
