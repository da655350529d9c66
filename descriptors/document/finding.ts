import type { Fault } from '../types.ts';

/** What is wrong, and what to do about it. */
export interface Wording {
  readonly message: string;
  readonly remedy: string;
}

/** A fault before it is known where in which text it stands. */
export interface Finding extends Wording {
  readonly rule: string;
  readonly severity?: 'error' | 'warning';
  readonly pointer: string;
  /** The fault is the name of the property, not its value. */
  readonly isAtKey?: boolean;
  /** Where the place is known already. */
  readonly offset?: number;
}

/** Line and column of a place, from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** Finds the place of a finding in the text it is about. */
export type Locate = (finding: Finding) => TextPosition | undefined;

/** More than this many faults are not told one by one. */
export const MAX_FAULTS = 200;

/** Findings as faults, in the order of the text, the same thing said once. */
export function toFaults(findings: readonly Finding[], file: string, locate: Locate): Fault[] {
  const seen = new Set<string>();
  const faults: Fault[] = [];
  for (const finding of findings) {
    const key = `${finding.rule} ${finding.pointer} ${finding.offset ?? ''} ${finding.message}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (faults.length === MAX_FAULTS) {
      faults.push(tooMany(file));
      break;
    }
    faults.push(toFault(finding, file, locate));
  }
  return faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

export function hasErrors(faults: readonly Fault[]): boolean {
  return faults.some(({ severity }) => severity === 'error');
}

function toFault(finding: Finding, file: string, locate: Locate): Fault {
  const { rule, severity = 'error', pointer, message, remedy } = finding;
  return { rule, severity, file, ...locate(finding), pointer, message, remedy };
}

function tooMany(file: string): Fault {
  return {
    rule: 'too-many-faults',
    severity: 'error',
    file,
    line: Number.MAX_SAFE_INTEGER,
    pointer: '',
    message: `there are more than ${MAX_FAULTS} faults; the rest is not listed`,
    remedy: 'mend these first',
  };
}
