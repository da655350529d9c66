import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { createParser } from 'eventsource-parser';
import { wholeNumber } from '../arguments.ts';
import type { Client } from '../client.ts';
import { contextOf, type Environment } from '../context.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { say, showControls, type OutputFormat } from '../output.ts';

const RECONNECT_MILLISECONDS = 500;

interface EventsOptions {
  readonly follow?: boolean;
  readonly since?: number;
}

/** `iotmano events`: what has changed, and what changes. */
export function addEventsCommand(program: Command, env: Environment): void {
  program
    .command('events')
    .description('show what has changed, one line each; with --follow, what changes from now on')
    .option('-f, --follow', 'go on as events come, over restarts of the orchestrator, too')
    .option('--since <revision>', 'only what came after that revision', wholeNumber('--since', 0))
    .action(async ({ follow = false, since }: EventsOptions, command: Command) => {
      const { client, format } = contextOf(command, env);
      if (follow) await followEvents(client, format, since);
      else await readEvents(client, format, since, false);
    });
}

/** Reads until the command is ended; what ends a connection but not the command is waited out. */
async function followEvents(client: Client, format: OutputFormat, since: number | undefined): Promise<never> {
  let last = since;
  let wasConnected = false;
  for (;;) {
    try {
      last = await readEvents(client, format, last, true, () => (wasConnected = true));
    } catch (error) {
      if (!wasConnected || !(error instanceof CliFailure) || error.exitCode !== EXIT.unreachable) throw error;
    }
    await sleep(RECONNECT_MILLISECONDS);
  }
}

/**
 * Prints events until the stream ends, whoever ends it.
 * @returns the revision of the last one
 */
async function readEvents(
  client: Client,
  format: OutputFormat,
  since: number | undefined,
  isFollowing: boolean,
  onConnected?: () => void,
): Promise<number | undefined> {
  const query = new URLSearchParams({
    follow: String(isFollowing),
    ...(since === undefined ? {} : { since: String(since) }),
  });
  const stream = await client.stream(`/iotmano/v1/events?${query.toString()}`, {
    accept: 'text/event-stream',
  });
  onConnected?.();
  let last = since;
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      if (event === 'too-old') {
        say('some events have been missed: more has happened than the orchestrator remembers');
        return;
      }
      last = id === undefined ? last : Number(id);
      process.stdout.write(format === 'json' ? `${data}\n` : eventLine(JSON.parse(data) as EventData));
    },
  });
  try {
    for await (const chunk of stream) parser.feed(decoder.decode(chunk, { stream: true }));
  } catch (error) {
    // Cut off in the middle: who follows comes back, who reads once has not read all.
    if (!isFollowing) throw error;
  }
  return last;
}

interface EventData {
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
  readonly [fact: string]: unknown;
}

function eventLine({ kind, id, revision, ...facts }: EventData): string {
  const details = Object.entries(facts)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${showControls([revision, kind, id, ...details].join(' '))}\n`;
}
