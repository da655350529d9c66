import type { HostId, VnfInstanceId } from '../../kernel/index.ts';
import type { Provision, Requirement } from '../../descriptors/index.ts';
import type { Bindings, BoundEndpoint } from '../../vim-drivers/index.ts';
import {
  compareText,
  copyName,
  vnfcInstanceId,
  wantedVnfcs,
  type ObservedDocument,
  type VnfInstanceDocument,
} from '../domain/index.ts';
import { findCopy } from './assess-convergence.ts';
import { configOf } from './build-workload.ts';
import type { FunctionPackage } from './function-catalog.ts';

/** A function at one end of a binding. */
export interface BoundFunction {
  readonly vnfInstanceId: VnfInstanceId;
  readonly instance: VnfInstanceDocument;
  readonly function: FunctionPackage;
}

export interface ProviderView extends BoundFunction {
  /** The package that its copies of a generation are made of. */
  functionAt(generation: number): FunctionPackage;
  readonly observed: readonly ObservedDocument[];
  /** Advertised addresses of the hosts; a host that is LOST to the provider is not among them. */
  readonly addresses: ReadonlyMap<HostId, string>;
}

export interface BindingsInput {
  readonly self: BoundFunction;
  /** By requirement name; what is not bound is absent. */
  readonly providers: ReadonlyMap<string, ProviderView>;
  /** Functions that are bound to this one and are instantiated, or are being. */
  readonly clients: readonly BoundFunction[];
  /** What the function was told last. */
  readonly previous?: Bindings;
}

/** The content of a function's bindings file: configuration, endpoints of what it requires, and who may use what it provides. */
export function buildBindings(input: BindingsInput): Bindings {
  const { self } = input;
  return {
    config: configOf(self.function, self.instance),
    requires: Object.fromEntries(
      self.function.descriptor.requires.map((requirement) => [
        requirement.name,
        bindRequirement(input, requirement),
      ]),
    ),
    // Two versions of a client may show the same key.
    clients: [
      ...new Map(
        input.clients
          .toReversed()
          .flatMap((client) => clientEntries(self, client))
          .map((entry) => [entry.id, entry]),
      ).values(),
    ].toSorted((a, b) => compareText(a.id, b.id)),
  };
}

function bindRequirement(input: BindingsInput, requirement: Requirement): Bindings['requires'][string] {
  const provider = input.providers.get(requirement.name);
  const credential = input.self.instance.credentials[requirement.name];
  return {
    capability: requirement.capability,
    protocol: requirement.protocol,
    endpoints:
      provider === undefined
        ? []
        : endpointsOf(provider, requirement, input.previous?.requires[requirement.name]?.endpoints ?? []),
    ...(credential === undefined ? {} : { credential: { id: credential.id, seed: credential.seed } }),
  };
}

/**
 * Where the provider's RUNNING copies answer, but for those that are withheld. While none runs, those that are still wanted keep the endpoints
 * they had: a restart keeps its port, and a client does better to knock there again than to know nothing.
 */
export function endpointsOf(
  provider: ProviderView,
  requirement: Pick<Requirement, 'capability' | 'protocol'>,
  previous: readonly BoundEndpoint[] = [],
): readonly BoundEndpoint[] {
  const withheld = new Set(provider.instance.withheld?.map(copyName));
  const stillWanted = new Set<string>();
  const running = wantedVnfcs(provider.instance.wanted)
    .filter((copy) => provider.addresses.has(copy.hostId) && !withheld.has(copyName(copy)))
    .flatMap((copy): BoundEndpoint[] => {
      const provision = provisionAt(provider, copy.generation, requirement);
      const found = findCopy(provider.observed, copy);
      const host = provider.addresses.get(copy.hostId);
      if (provision?.unit !== copy.unit || found?.instance === undefined || host === undefined) return [];
      const instance = vnfcInstanceId(copy.hostId, found.document.workload.key, copy.slot);
      stillWanted.add(instance);
      const port = found.instance.ports[provision.port];
      return port === undefined || found.instance.state !== 'RUNNING' ? [] : [{ host, port, instance }];
    });
  const endpoints =
    running.length > 0 ? running : previous.filter(({ instance }) => stillWanted.has(instance));
  return endpoints.toSorted((a, b) => compareText(a.instance, b.instance));
}

function provisionAt(
  provider: ProviderView,
  generation: number,
  { capability, protocol }: Pick<Requirement, 'capability' | 'protocol'>,
): Provision | undefined {
  return provider
    .functionAt(generation)
    .descriptor.provides.find((item) => item.capability === capability && item.protocol === protocol);
}

function clientEntries(provider: BoundFunction, client: BoundFunction): Bindings['clients'] {
  return client.function.descriptor.requires.flatMap((requirement) => {
    const credential = client.instance.credentials[requirement.name];
    if (client.instance.bind[requirement.name] !== provider.vnfInstanceId || credential === undefined)
      return [];
    return [
      {
        id: credential.id,
        capability: requirement.capability,
        publicKey: credential.publicKey,
        access: requirement.access,
        function: client.function.descriptor.metadata.invariantId,
      },
    ];
  });
}
