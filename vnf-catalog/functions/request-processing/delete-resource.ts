import { RSC, type RequestPrimitive, type ResponsePrimitive } from '../../shared/index.ts';
import { ACCESS } from './access.ts';
import { decideAndCommit, demand } from './deciding.ts';
import type { Workbench } from './workbench.ts';
import { refusal } from './refusal.ts';
import { changeResponse } from './result-content.ts';

export async function deleteResource(
  request: RequestPrimitive,
  bench: Workbench,
): Promise<ResponsePrimitive> {
  const rcn = request.rcn ?? 0;
  if (![0, 1].includes(rcn)) throw refusal(RSC.badRequest, `rcn ${rcn} does not go with a deletion`);
  const decide = (sight: Parameters<typeof demand>[2]): Promise<{ op: 'delete'; ri: string }> => {
    demand(request, bench, sight, ACCESS.delete, `delete "${request.to}"`);
    return Promise.resolve({ op: 'delete', ri: sight.target.ri });
  };
  const done = await decideAndCommit(request, bench, async (sight) => decide(sight), false);
  return changeResponse(done, rcn, {});
}
