import type { TenantId } from '../../kernel/index.ts';
import type { IoTFunctionDescriptor } from '../../descriptors/index.ts';
import type { VnfInstanceDocument } from '../domain/index.ts';
import type { PlacementRequest } from '../placement/index.ts';

interface Owner {
  readonly tenant: TenantId;
  readonly instance: Pick<VnfInstanceDocument, 'constituent' | 'bind' | 'nsInstanceId'>;
}

/** What placement has to know of a function that is placed, and of one that is to be. */
export function identityOf(
  { metadata, placement, requires }: IoTFunctionDescriptor,
  { tenant, instance }: Owner,
): Required<Pick<PlacementRequest, 'labels' | 'priority' | 'flows' | 'affinities'>> {
  const { invariantId, productName, role, hla } = metadata;
  return {
    priority: placement.priority ?? 0,
    // What other tenants run is nobody's business, nor whether they run anything.
    affinities: (placement.affinities ?? []).map((each) => ({
      ...each,
      with: `(${each.with}) and tenant = ${tenant}`,
    })),
    flows: requires.flatMap(({ name, bitsPerSecond }) => {
      const to = instance.bind[name];
      return to === undefined || bitsPerSecond === undefined ? [] : [{ to, bitsPerSecond }];
    }),
    // How affinities of other functions see it.
    labels: {
      function: invariantId,
      name: instance.constituent ?? productName,
      role,
      tenant,
      ...(hla?.layer === undefined ? {} : { layer: hla.layer }),
      ...(instance.nsInstanceId === undefined ? {} : { service: instance.nsInstanceId }),
    },
  };
}
