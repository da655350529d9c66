import { systemClock, type HostId } from '../../kernel/index.ts';
import { vnfcInstanceId } from '../../orchestrator/domain/index.ts';
import { readStream, type OutputReader } from '../../orchestrator/diagnostics/testkit/output-reader.ts';
import type { StateStore } from '../../orchestrator/store/index.ts';
import { createApiClient } from '../../test/kit/api-client.ts';
import type { OperatorAction } from '../index.ts';

export interface DiagnosingOptions {
  /** Of the API, as it is now. */
  readonly url: () => string;
  readonly store: StateStore;
  readonly tokenFor: (role: 'admin' | 'operator', tenant?: string) => string;
}

/** Does over the API what an operator does with diagnostics; undefined: another action. */
export type DiagnosingOperator = (
  action: OperatorAction,
  args: readonly string[],
) => Promise<string> | undefined;

export const DIAGNOSING: readonly OperatorAction[] = [
  'diagnostics-on',
  'diagnostics-off',
  'command-begin',
  'command-output',
  'command-end',
  'audit',
];

interface Begun {
  readonly abort: AbortController;
  readonly reader: Promise<OutputReader | undefined>;
}

export function createDiagnosingOperator({ url, store, tokenFor }: DiagnosingOptions): DiagnosingOperator {
  const begun = new Map<string, Begun>();
  let operatorToken: string | undefined;

  async function begin([hostId = '', ...command]: readonly string[]): Promise<string> {
    await untilReported(store, hostId);
    const [assigned] = [...store.listByPrefix('assignment', `${hostId}.`)];
    if (assigned === undefined) throw new RangeError(`nothing is assigned to ${hostId}`);
    const { workload } = assigned.document;
    const id = vnfcInstanceId(hostId as HostId, workload.key, 0);
    const abort = new AbortController();
    operatorToken ??= tokenFor('operator');
    const reader = readStream(`${url()}/iotmano/v1/vnfc_instances/${id}/exec`, operatorToken, {
      body: { command },
      signal: abort.signal,
    }).catch(() => undefined);
    const name = String(begun.size + 1);
    begun.set(name, { abort, reader });
    return name;
  }

  async function output(name: string): Promise<string> {
    const reader = await begun.get(name)?.reader;
    return reader?.stdout ?? '';
  }

  async function switchTo(isOn: boolean): Promise<string> {
    const admin = createApiClient(url(), tokenFor('admin', 'system'));
    await admin.patch('/iotmano/v1/diagnostics', { logs: isOn, exec: isOn });
    return '';
  }

  async function audit(): Promise<string> {
    const admin = createApiClient(url(), tokenFor('admin', 'system'));
    return JSON.stringify((await admin.get('/iotmano/v1/audit_entries')).body);
  }

  return (action, args) => {
    const [name = ''] = args;
    switch (action) {
      case 'diagnostics-on':
      case 'diagnostics-off':
        return switchTo(action === 'diagnostics-on');
      case 'command-begin':
        return begin(args);
      case 'command-output':
        return output(name);
      case 'command-end':
        begun.get(name)?.abort.abort();
        return Promise.resolve('');
      case 'audit':
        return audit();
      default:
        return undefined;
    }
  };
}

const LOOKS = 200;
const LOOK_MILLISECONDS = 25;

/** Whoever assigns something waits until it runs. */
async function untilReported(store: StateStore, hostId: string): Promise<void> {
  const isReported = (): boolean =>
    [...store.list('observed')].some(({ document }) => document.hostId === hostId);
  for (let look = 1; look <= LOOKS && !isReported(); look += 1) await systemClock.sleep(LOOK_MILLISECONDS);
}
