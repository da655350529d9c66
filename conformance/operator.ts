import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { createTurns } from '../kernel/index.ts';
import { CaseFailure, NotApplicable } from './case.ts';

/** What an operator of the orchestrator under test is asked to do, in the words that the command gets as its first argument. */
export const OPERATOR_ACTIONS = {
  token:
    'issue a one-time enrolment token and print it; arguments: host id or `-` for any, seconds that it is good for',
  assign:
    'have one function assigned to the host and wait until it is; with a file that the host retrieves, and a patience (lostAfter), if possible; argument: host id',
  'assign-secret': 'as `assign`, a function with a secret configuration value; arguments: host id, the value',
  'assign-large':
    'as `assign`, something that makes the wanted state of the host larger than so many bytes; arguments: host id, bytes',
  unassign: 'take away what `assign`, `assign-secret` or `assign-large` assigned; argument: host id',
  confirm: 'confirm the state (stateId) of the orchestrator for the host; argument: host id',
  settle: 'settle the dispute over the host; argument: host id',
  revoke: 'take all trust from the key of the host, as of one that was stolen; argument: host id',
  forget: 'have the orchestrator forget the host, though it has not left; argument: host id',
  state:
    'print how the orchestrator counts the host: ENROLLED, READY, SUSPECT, LOST, DRAINING or DISPUTED; argument: host id',
  measurement:
    'print the newest values of a metric of the host, in any form; arguments: host id, name of the metric',
  'diagnostics-on':
    'allow operators to see the output of functions, and to run commands beside them; no arguments',
  'diagnostics-off': 'allow that no more; no arguments',
  'command-begin':
    'begin to run a command beside the function that `assign` assigned, do not wait for its end, and print a name for it; arguments: host id, the words of the command',
  'command-output': 'print what the command has written so far; argument: its name',
  'command-end': 'go away from the command, as who has seen enough; argument: its name',
  'upgrade-begin':
    'begin an upgrade of the agents of these hosts, and of no others, to a program that you have, and do not wait for its end: one host first, then two, then the rest, and none may fail; arguments: host ids',
  'upgrade-state':
    'print how the newest upgrade of agents stands, host by host with reasons, in any form; no arguments',
  'upgrade-end': 'end the newest upgrade of agents for good, however it stands; no arguments',
  audit: 'print who has used diagnostics for what, the newest entries, in any form; no arguments',
  restart:
    'kill the orchestrator without warning (SIGKILL), start it again over the same store, and wait until it is ready',
  reset:
    'let the orchestrator go on with a store that is created anew or restored, and wait until it is ready',
} as const;

export type OperatorAction = keyof typeof OPERATOR_ACTIONS;

/** Does what only an operator of the orchestrator under test can do. */
export interface Operator {
  can(action: OperatorAction): boolean;
  /** Whether it issues as many enrolment tokens as there are cases, at nobody's trouble. */
  issuesTokens(): boolean;
  /** @returns what it printed. @throws NotApplicable where it cannot do so; CaseFailure where it failed */
  do(action: OperatorAction, ...args: readonly string[]): Promise<string>;
}

/** sysexits.h EX_USAGE: by which a command says that it does not know an action. */
const UNKNOWN_ACTION_EXIT = 64;
const SHOWN_CHARACTERS = 500;
const OUTPUT_PATIENCE_MILLISECONDS = 300;

/** Nobody: what needs an operator is not applicable. */
export const NO_OPERATOR: Operator = {
  can: () => false,
  issuesTokens: () => false,
  do: async (action) => {
    throw needs(action);
  },
};

/** What to say of a case that needs an action of an operator. */
export function needsOperator(action: string): string {
  return `needs an operator for the action "${action}": give --operator-command or --by-hand`;
}

function needs(action: OperatorAction): NotApplicable {
  return new NotApplicable(needsOperator(action));
}

/**
 * A command line of the shell, to which action and arguments are appended.
 * @param environment that of this process where it is absent
 */
export function createCommandOperator(
  command: string,
  signal: AbortSignal,
  environment?: NodeJS.ProcessEnv,
): Operator {
  const unknown = new Set<OperatorAction>();
  return {
    can: (action) => !unknown.has(action),
    issuesTokens: () => !unknown.has('token'),
    do: async (action, ...args) => {
      if (unknown.has(action)) throw needs(action);
      const { code, stdout, stderr } = await runShell(command, [action, ...args], signal, environment);
      if (code === UNKNOWN_ACTION_EXIT) {
        unknown.add(action);
        throw needs(action);
      }
      if (code === 0) return stdout.trim();
      throw new CaseFailure(
        `the operator command ended with ${code ?? 'a signal'} for "${[action, ...args].join(' ')}": ${stderr.trim().slice(-SHOWN_CHARACTERS)}`,
      );
    },
  };
}

/** A person at the terminal: is asked, and answers with Enter, with what is to be printed, or with `skip`. */
export function createAskingOperator(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  signal: AbortSignal,
): Operator {
  const inTurn = createTurns();
  const ask = async (question: string): Promise<string> => {
    const terminal = createInterface({ input, output });
    try {
      return await terminal.question(question, { signal });
    } finally {
      terminal.close();
    }
  };
  return {
    can: () => true,
    issuesTokens: () => false,
    do: async (action, ...args) => {
      const question = `\nPlease ${OPERATOR_ACTIONS[action]}\n  ${[action, ...args].join(' ')}\nthen press Enter (after what is to be printed, if anything), or type skip: `;
      const answer = (await inTurn(() => ask(question))).trim();
      if (answer === 'skip') throw needs(action);
      return answer;
    },
  };
}

export interface ShellResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line with more arguments appended. Output is bounded; it is ended with the signal. */
export function runShell(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
  environment?: NodeJS.ProcessEnv,
): Promise<ShellResult> {
  return new Promise((resolve) => {
    const line = args.length === 0 ? command : `${command} "$@"`;
    const child = spawn('/bin/sh', ['-c', line, 'sh', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...(environment === undefined ? {} : { env: environment }),
    });
    const end = (): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    };
    signal.addEventListener('abort', end, { once: true });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout = (stdout + part).slice(-65_536)));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr = (stderr + part).slice(-65_536)));
    const done = (code: number | null): void => {
      signal.removeEventListener('abort', end);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code, stdout, stderr });
    };
    child.once('error', () => done(127));
    child.once('exit', (code) => {
      // What the command leaves running may hold its outputs open: they are not waited for long.
      const patience = setTimeout(() => done(code), OUTPUT_PATIENCE_MILLISECONDS);
      child.once('close', () => {
        clearTimeout(patience);
        done(code);
      });
    });
  });
}
