import { IotmanoError } from '../../kernel/index.ts';
import type { Caller } from '../domain/index.ts';

type Holder = Pick<Caller, 'tenant' | 'name'>;

/** Places that are used at one time by some tenants and their users. */
export interface Places {
  readonly most: number;
  /** What there is so many of, for people: "streams at host gw-1". */
  readonly what: string;
  /** Who has those that are taken; one entry for each. */
  readonly holders: readonly Holder[];
}

/**
 * Refuses one more where none is left, and where the caller has its share: a tenant gets another as long as more are free than it has, and one of its
 * users as long as its tenant could have more than that user has. Alone, a tenant comes to one half and a user to one third; there is always something left for others.
 * @throws IotmanoError `too-many-requests`
 */
export function requireShare({ most, what, holders }: Places, { tenant, name }: Holder): void {
  const free = most - holders.length;
  if (free <= 0) throw tooMany(`all ${most} ${what} are in use`, 'end some');
  const ofTenant = holders.filter((holder) => holder.tenant === tenant);
  const leftToTenant = free - ofTenant.length;
  if (leftToTenant <= 0)
    throw tooMany(
      `tenant ${tenant} has ${ofTenant.length} of the ${most} ${what}, and the ${free} that are free are kept for other tenants`,
      'end some of the tenant’s',
    );
  const ofUser = ofTenant.filter((holder) => holder.name === name).length;
  if (ofUser >= leftToTenant)
    throw tooMany(
      `${name} has ${ofUser} of the ${most} ${what}, and what tenant ${tenant} may still have is kept for its other users`,
      'end some of your own',
    );
}

function tooMany(what: string, remedy: string): IotmanoError {
  return new IotmanoError('too-many-requests', `${what}; ${remedy}, or try again later`);
}
