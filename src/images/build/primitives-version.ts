/** To be raised when a primitive of the workshop produces something else from the same inputs. */
export const primitivesVersion = 1;
