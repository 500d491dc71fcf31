// What a shell, tini or an entrypoint script is to the bind matrix: a program without a file capability that executes
// Sallyport. Linked statically, for an image that has no shell.
#include <unistd.h>

namespace {
char path[] = "/sallyport";
} // namespace

int main(int, char** arguments, char** environment)
{
    arguments[0] = path;
    ::execve(path, arguments, environment);
    constexpr int kNotExecuted = 126;
    return kNotExecuted;
}
