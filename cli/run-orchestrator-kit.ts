import type { Command } from 'commander';
import type * as Conformance from '../conformance/index.ts';
import type { AgentWire } from '../conformance/index.ts';
import { randomIds, systemClock } from '../kernel/index.ts';
import type { Environment } from './context.ts';
import { CliFailure, EXIT } from './failure.ts';
import { finish, list, stopping, tellCase, type KitFlags } from './kit-run.ts';

export interface OrchestratorKitFlags extends KitFlags {
  readonly target?: string;
  readonly token?: readonly string[];
  readonly operatorCommand?: string;
  readonly byHand?: boolean;
  readonly caFile?: string;
}

/** `iotmano conformance orchestrator`: plays agents. @throws CliFailure, IotmanoError */
export async function runOrchestratorKit(
  flags: OrchestratorKitFlags,
  command: Command,
  env: Environment,
): Promise<void> {
  const kit = await import('../conformance/index.ts');
  if (flags.list === true) return list(kit.ORCHESTRATOR_CASES);
  const { signal, stopped } = stopping();
  const operator =
    flags.operatorCommand !== undefined
      ? kit.createCommandOperator(flags.operatorCommand, signal)
      : flags.byHand === true
        ? kit.createAskingOperator(process.stdin, process.stderr, signal)
        : kit.NO_OPERATOR;
  const given = env['IOTMANO_ENROLMENT_TOKEN']?.trim() ?? '';
  const tokens = [...(flags.token ?? []), ...(given === '' ? [] : [given])];
  if (tokens.length === 0 && operator === kit.NO_OPERATOR)
    throw new CliFailure(
      EXIT.usage,
      'the kit has to enrol hosts: give --token (or IOTMANO_ENROLMENT_TOKEN), --operator-command or --by-hand',
    );
  const wire = wireOf(flags, kit);
  try {
    const result = await kit.checkOrchestrator({
      wire,
      operator,
      tokens,
      only: flags.only,
      timeoutSeconds: flags.timeout,
      clock: systemClock,
      ids: randomIds,
      signal,
      onCase: tellCase,
    });
    finish(result, flags, command, kit, stopped());
  } finally {
    await wire.close();
  }
}

/** The target names the binding. */
function wireOf(
  { target = '', binding, caFile }: OrchestratorKitFlags,
  kit: Pick<typeof Conformance, 'createHttpAgentWire' | 'createNatsAgentWire' | 'parseNatsTarget'>,
): AgentWire {
  if (binding === 'nats' || /^(nats|tls):/.test(target))
    return kit.createNatsAgentWire({ ...kit.parseNatsTarget(target, caFile), clock: systemClock });
  return kit.createHttpAgentWire({ target: targetOf(target), caFile, clock: systemClock });
}

function targetOf(target: string): URL {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new CliFailure(
    EXIT.usage,
    `--target wants the http or https URL of the orchestrator, e.g. http://127.0.0.1:8900, or for NATS nats://127.0.0.1:4222; got ${target === '' ? 'nothing' : `"${target}"`}`,
  );
}
