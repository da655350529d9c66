import { OPERATION, RSC, type RequestPrimitive, type ResponsePrimitive } from '../../shared/index.ts';
import { parseAddress } from './address.ts';
import { isTimestamp } from './attribute-values.ts';
import { createResource } from './create-resource.ts';
import { deleteResource } from './delete-resource.ts';
import { refusal, responseTo } from './refusal.ts';
import { retrieveResource } from './retrieve-resource.ts';
import { Sights } from './sights.ts';
import type { Neighbours } from './storage-client.ts';
import { updateResource } from './update-resource.ts';
import type { ProcessingSettings, Workbench } from './workbench.ts';

/**
 * Request processing of clause 7.2.2, step 4: the primitive is checked beyond its syntax, the address and the access rights
 * against the data storage, then what it asks for is stored or read. Holds nothing that another instance would have to know.
 */
export class RequestProcessor {
  readonly #neighbours: Neighbours;
  readonly #settings: () => ProcessingSettings;
  readonly #newId: () => string;
  readonly #sights = new Sights(10_000);

  constructor(neighbours: Neighbours, settings: () => ProcessingSettings, newId: () => string) {
    this.#neighbours = neighbours;
    this.#settings = settings;
    this.#newId = newId;
  }

  /** Never rejects. */
  async process(request: RequestPrimitive): Promise<ResponsePrimitive> {
    try {
      return await this.#dispatch(request);
    } catch (error) {
      return responseTo(error);
    }
  }

  #dispatch(request: RequestPrimitive): Promise<ResponsePrimitive> {
    const settings = this.#settings();
    const address = parseAddress(request.to, settings);
    if (address.kind === 'invalid') throw refusal(RSC.badRequest, address.reason);
    if (address.kind === 'elsewhere') throw refusal(RSC.notFound, `"${request.to}" is not of this CSE`);
    checkCriteria(request);
    const bench: Workbench = {
      neighbours: this.#neighbours,
      sights: this.#sights,
      settings,
      newId: this.#newId,
      to: address.to,
    };
    switch (request.op) {
      case OPERATION.create:
        return createResource(request, bench);
      case OPERATION.retrieve:
        return retrieveResource(request, bench);
      case OPERATION.update:
        return updateResource(request, bench);
      case OPERATION.delete:
        return deleteResource(request, bench);
      default:
        throw refusal(RSC.operationNotAllowed, 'this CSE takes no notifications for its resources');
    }
  }
}

/**
 * Filter criteria are acted on where something is discovered or listed. Elsewhere they would be conditions of the request
 * (fu 2): to ignore one could delete what its author meant to spare.
 */
function checkCriteria({ op, rcn = 1, drt = 1, fc }: RequestPrimitive): void {
  if (drt !== 1 && drt !== 2) throw refusal(RSC.badRequest, 'drt must be 1 (structured) or 2 (unstructured)');
  if (fc === undefined) return;
  const { fu = 2, crb, cra } = fc;
  for (const [name, time] of Object.entries({ crb, cra })) {
    if (time !== undefined && !isTimestamp(time))
      throw refusal(RSC.badRequest, `${name} must be a time like 20301231T235959`);
  }
  if (fu !== 1 && fu !== 2) throw refusal(RSC.notImplemented, `this CSE does not support fu ${fu}`);
  const isList = op === OPERATION.retrieve && (fu === 1 || rcn !== 1);
  if (!isList) throw refusal(RSC.notImplemented, 'this CSE does not support requests on a condition (fu 2)');
}
