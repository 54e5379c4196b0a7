/** So many test files run side by side on two cores; each of the integration tests has the lab of its place. */
export const PLACES = 2;
