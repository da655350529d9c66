/** The driver contract, and the site controller that drives any driver towards the wanted state. */
export * from './contract.ts';
