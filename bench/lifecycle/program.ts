/** The program that both sides run: a shell that waits, and goes at once when it is asked to. */
export const PROGRAM: readonly string[] = [
  'sh',
  '-c',
  "trap 'kill $! 2>/dev/null; exit 0' TERM; sleep 100000 & wait",
];

/** What both sides run it in, where there are containers. */
export const IMAGE = 'node:24-slim';

/** The limits of both sides, where the tool has any: below a small one of CPU the start of a container itself takes seconds. */
export const MEMORY_MEBIBYTES = 16;
export const CPU_MILLIS = 20;

/** Starts copies of the program and ends them; whoever calls takes the time. */
export interface Contender {
  /** Returns when every copy runs. */
  start(count: number): Promise<void>;
  /** Returns when nothing of them is left. */
  stop(): Promise<void>;
  /** Ends and removes whatever it has made, also after a failure. */
  close(): Promise<void>;
}
