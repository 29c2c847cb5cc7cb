// Holds the precompiled headers of cmake/wherry.cmake, nothing else.
