#include "driver/driver.h"

int main(int argc, char** argv) { return luapp::driver::run(argc, argv); }
