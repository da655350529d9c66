import type { Fault } from '../descriptors/index.ts';
import { CliFailure, EXIT } from './failure.ts';
import { say } from './output.ts';

/** A fault as it comes over the wire: whatever is missing is not shown. */
export type FaultLike = Partial<Fault>;

/** One line for each fault: place, rule, what is wrong, what to do. */
export function faultLines(faults: readonly FaultLike[]): string[] {
  return faults.map(({ file = '', line, column, rule = '', message = '', remedy = '' }) => {
    const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
    return `${place}: ${rule}: ${message}${remedy === '' ? '' : `. ${remedy}`}`;
  });
}

export function errorsAmong(faults: readonly Fault[]): readonly Fault[] {
  return faults.filter(({ severity }) => severity === 'error');
}

/** Says the warnings. @throws CliFailure with all errors, where there are any */
export function report(faults: readonly Fault[], message: string): void {
  for (const line of faultLines(faults.filter(({ severity }) => severity === 'warning')))
    say(`warning: ${line}`);
  const errors = errorsAmong(faults);
  if (errors.length > 0) throw new CliFailure(EXIT.usage, message, faultLines(errors));
}
