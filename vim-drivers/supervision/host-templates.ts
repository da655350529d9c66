import { resolveTemplate } from '../../descriptors/templates/index.ts';
import { IotmanoError, messageOf } from '../../kernel/index.ts';

/** What only this host knows about one instance. */
export interface HostFacts {
  readonly ports: Readonly<Record<string, number>>;
  /** Volume name → directory. */
  readonly volumes: Readonly<Record<string, string>>;
  readonly bindingsPath?: string;
  readonly instanceId: string;
  readonly instanceDirectory: string;
  /** Where the instance listens to be reached at `hostAddress`. */
  readonly listenAddress: string;
  /** Where it listens for what is asked by its own host only: probes, metrics. */
  readonly localAddress: string;
  readonly hostId: string;
  readonly hostAddress: string;
}

/** The value of a reference such as `ports.http`, or nothing when this host does not know it. */
function lookupHostFact(facts: HostFacts, reference: string): string | undefined {
  const [group, ...rest] = reference.split('.');
  const name = rest.join('.');
  if (group === 'ports') return own(facts.ports, name)?.toString();
  if (group === 'volumes') return own(facts.volumes, name);
  const single: Readonly<Record<string, string | undefined>> = {
    'bindings.path': facts.bindingsPath,
    'instance.id': facts.instanceId,
    'instance.dir': facts.instanceDirectory,
    'instance.listenAddress': facts.listenAddress,
    'instance.localAddress': facts.localAddress,
    'host.id': facts.hostId,
    'host.address': facts.hostAddress,
  };
  return own(single, reference);
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/**
 * Text with its `{{ reference }}` replaced.
 * @param where what the text is, for the message
 * @throws IotmanoError `driver-failed` for a reference that this host cannot resolve
 */
export function resolveOnHost(text: string, facts: HostFacts, where: string): string {
  if (!text.includes('{{')) return text;
  try {
    return resolveTemplate(text, (reference) => lookupHostFact(facts, reference));
  } catch (error) {
    throw new IotmanoError(
      'driver-failed',
      `${where}: ${messageOf(error)}; a host knows ports, volumes, bindings.path, instance.id, instance.dir, instance.listenAddress, instance.localAddress, host.id and host.address`,
      {},
      error,
    );
  }
}
