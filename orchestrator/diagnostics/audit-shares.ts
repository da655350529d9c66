/** Which entries of the audit log there are, by tenant and user, so that nobody pushes out what others have done. */
export interface AuditShares {
  /** Counts one more. Ids come in the order in which entries were made. */
  add(tenant: string, user: string, id: string): void;
  /**
   * Ids of what has to go for the tenant to be within its bound, taken out with this: the oldest of the user who has the most, so that a user loses
   * entries to others only beyond an equal share.
   */
  takeSurplus(tenant: string): readonly string[];
}

/** @param most entries of one tenant */
export function createAuditShares(most: number): AuditShares {
  const tenants = new Map<string, { count: number; readonly users: Map<string, string[]> }>();

  function shift(users: Map<string, string[]>): string | undefined {
    let name: string | undefined;
    for (const [user, ids] of users)
      if (name === undefined || ids.length > (users.get(name)?.length ?? 0)) name = user;
    const ids = users.get(name ?? '');
    const id = ids?.shift();
    if (ids?.length === 0) users.delete(name ?? '');
    return id;
  }

  return {
    add: (tenant, user, id) => {
      const known = tenants.get(tenant) ?? { count: 0, users: new Map<string, string[]>() };
      tenants.set(tenant, known);
      known.count += 1;
      const ids = known.users.get(user);
      if (ids === undefined) known.users.set(user, [id]);
      else ids.push(id);
    },
    takeSurplus: (tenant) => {
      const known = tenants.get(tenant);
      const surplus: string[] = [];
      if (known === undefined) return surplus;
      for (; known.count > most; known.count -= 1) {
        const id = shift(known.users);
        if (id !== undefined) surplus.push(id);
      }
      return surplus;
    },
  };
}
