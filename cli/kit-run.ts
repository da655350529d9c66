import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type * as Conformance from '../conformance/index.ts';
import type { CaseResult, ConformanceResult, ReportFormat } from '../conformance/index.ts';
import { IotmanoError, messageOf } from '../kernel/index.ts';
import { CliFailure, EXIT } from './failure.ts';
import { printText, say, type OutputFormat } from './output.ts';
import { stopSignal } from './stop-signal.ts';

/** What both sides of the kit are asked for. */
export interface KitFlags {
  readonly binding: 'http' | 'nats';
  readonly only?: readonly string[];
  readonly list?: boolean;
  readonly timeout: number;
  readonly format?: ReportFormat;
  readonly file?: string;
}

export function list(
  cases: readonly { readonly id: string; readonly title: string; readonly requirements: readonly string[] }[],
): void {
  for (const { id, title, requirements } of cases)
    printText(`${id}  ${requirements.join(' ')}\n  ${title}\n`);
}

/** Aborted by the first SIGINT or SIGTERM: what has been judged by then is told. */
export function stopping(): { readonly signal: AbortSignal; readonly stopped: () => boolean } {
  const abort = new AbortController();
  void stopSignal().then(() => abort.abort());
  return { signal: abort.signal, stopped: () => abort.signal.aborted };
}

const MARKS = { passed: 'passed', failed: 'FAILED', 'not-applicable': 'not applicable' } as const;

/** A line for a case, as soon as it is played, and what is wrong or missing. */
export function tellCase({ id, verdict, faults, reason, seconds }: CaseResult): void {
  say(`${MARKS[verdict].padEnd(14)}  ${seconds.toFixed(1).padStart(5)} s  ${id}`);
  for (const { requirements, message } of faults) say(`    ${requirements.join(', ')}: ${message}`);
  if (reason !== undefined) say(`    ${reason}`);
}

/** What is loaded when it is needed only. */
type Kit = Pick<typeof Conformance, 'hasPassed' | 'renderResult' | 'summaryOf'>;

/** Shows or writes the result, and says by the exit code what it is. @throws CliFailure where it was stopped */
export function finish(
  result: ConformanceResult,
  flags: KitFlags,
  command: Command,
  kit: Kit,
  isStopped: boolean,
): void {
  const { output } = command.optsWithGlobals<{ output?: OutputFormat }>();
  const text = kit.renderResult(result, flags.format ?? output ?? 'table');
  if (flags.file === undefined) printText(text);
  else write(flags.file, text);
  say(kit.summaryOf(result));
  if (isStopped) throw new CliFailure(EXIT.usage, 'stopped before all cases were played');
  process.exitCode = kit.hasPassed(result) ? EXIT.ok : EXIT.failed;
}

/** @throws CliFailure naming the option */
export function write(file: string, text: string, option = '--file'): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CliFailure(EXIT.usage, `${option} ${file} cannot be written: ${messageOf(error)}`);
  }
}

/** Whatever keeps the kit from checking ends with 2, so that it is never taken for a result. */
export async function orCouldNot(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof IotmanoError)) throw error;
    throw new CliFailure(EXIT.usage, `nothing could be checked: ${error.message}`);
  }
}
