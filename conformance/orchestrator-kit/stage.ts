import type { Clock, IdSource } from '../../kernel/index.ts';
import { CaseFailure, NotApplicable, type Binding, type Case } from '../case.ts';
import { hostOfCredential } from '../nats/users.ts';
import type { Operator } from '../operator.ts';
import type { Trace } from '../trace.ts';
import type { AgentWire } from './agent-wire.ts';
import { createPlayedHost, type HostIdentity, type PlayedHost } from './played-host.ts';

/** What a case that checks an orchestrator has at hand. */
export interface OrchestratorStage {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly operator: Operator;
  /** A host that nobody knows yet. */
  newHost(): PlayedHost;
  /** Another one of that name, with another key: another machine. */
  sameName(host: PlayedHost): PlayedHost;
  readonly binding: Binding;
  readonly wire: AgentWire;
  /** A token that is good for this host. @throws NotApplicable where there is none left */
  tokenOf(host: PlayedHost): Promise<string>;
  /** A token that only this host may use. @throws NotApplicable */
  tokenFor(hostId: string, validSeconds?: number): Promise<string>;
  /** A host that is enrolled. */
  enrolledHost(): Promise<PlayedHost>;
  /** A host that is enrolled and has come up with a new boot; where tokens are scarce, the one that other cases used before. */
  readyHost(): Promise<PlayedHost>;
  sleep(seconds: number): Promise<void>;
}

export type OrchestratorCase = Case<OrchestratorStage>;

export interface StageOptions {
  readonly wire: AgentWire;
  readonly operator: Operator;
  /** Enrolment tokens that are not used yet; each is used once. */
  readonly tokens: string[];
  /** Where no operator issues tokens, one host is for all cases that leave it as it was. */
  standing?: HostIdentity;
  readonly clock: Clock;
  readonly ids: IdSource;
}

const VALID_SECONDS = 600;

export function createOrchestratorStage(
  options: StageOptions,
  trace: Trace,
  signal: AbortSignal,
): OrchestratorStage {
  const { wire, operator, tokens, clock, ids } = options;
  const make = (hostId: string, identity?: HostIdentity): PlayedHost =>
    createPlayedHost({ wire, trace, signal, ids, hostId, identity });
  async function enrolWith(credential: string): Promise<PlayedHost> {
    const hostId = hostOfCredential(credential);
    if (hostId === undefined)
      throw new CaseFailure(
        'a token for NATS is TOKEN~JWT, as the orchestrator gives it out for a named host',
      );
    const host = make(hostId);
    await host.enrol(credential);
    return host;
  }

  const stage: OrchestratorStage = {
    clock,
    signal,
    operator,
    binding: wire.binding,
    wire,
    newHost: () => make(`kit-${ids.uuid().slice(0, 8)}`),
    sameName: ({ hostId, spId }) => Object.assign(make(hostId), { spId }),
    async tokenOf({ hostId }) {
      // Over NATS a token is for one host, which it names.
      if (wire.binding === 'nats') return stage.tokenFor(hostId);
      const issued = operator.issuesTokens() ? await askForToken(operator) : undefined;
      const token =
        issued ?? tokens.shift() ?? (operator.can('token') ? await askForToken(operator) : undefined);
      if (token !== undefined) return token;
      throw new NotApplicable(
        'needs one more enrolment token that any host may use: give more of them with --token, or --operator-command, or --by-hand',
      );
    },
    tokenFor: (hostId, validSeconds = VALID_SECONDS) => operator.do('token', hostId, String(validSeconds)),
    async enrolledHost() {
      const given = wire.binding === 'nats' ? tokens.shift() : undefined;
      if (given !== undefined) return enrolWith(given);
      const host = stage.newHost();
      await host.enrol(await stage.tokenOf(host));
      return host;
    },
    async readyHost() {
      const { standing } = options;
      const host = standing === undefined ? await stage.enrolledHost() : make(standing.hostId, standing);
      if (!operator.issuesTokens()) options.standing = host;
      await host.comeUp();
      return host;
    },
    sleep: (seconds) => clock.sleep(seconds * 1000, signal),
  };
  return stage;
}

/** Undefined where there is nobody who issues one after all. */
async function askForToken(operator: Operator): Promise<string | undefined> {
  try {
    const token = await operator.do('token', '-', String(VALID_SECONDS));
    return token === '' ? undefined : token;
  } catch (error) {
    if (error instanceof NotApplicable) return undefined;
    throw error;
  }
}
