/** The driver contract. Drivers, the registry of drivers and the site controller have doors of their own, so that types cost nothing. */
export * from './contract.ts';
