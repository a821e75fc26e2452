/** The kind of the network that root's containers are on where nothing is said: a driver of `network/drivers`. */
export const DEFAULT_NETWORK_DRIVER = 'bridge';
