/** Raised when a primitive of the workshop makes something else from the same inputs. */
export const primitivesVersion = 1;
