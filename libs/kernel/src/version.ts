/** Version of all programs and libraries of this repository; they are released together. */
export const SOFTWARE_VERSION = '0.1.0';
