#include "driver/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace luapp::driver {

namespace {

std::string because(const char* what, const std::string& path) {
    return std::string("cannot ") + what + " '" + path + "': " + strerror(errno);
}

bool readAll(int fd, std::string& text) {
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    if (st.st_size > 0) text.reserve(size_t(st.st_size));
    char buffer[1 << 16];
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n == 0;
        text.append(buffer, size_t(n));
    }
}

bool writeAll(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        ssize_t n = write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        bytes.remove_prefix(size_t(n));
    }
    return true;
}

}  // namespace

bool readFile(const std::string& path, std::string& text, std::string& problem) {
    text.clear();
    const int fd = path == "-" ? dup(0) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool ok = fd >= 0 && readAll(fd, text);
    if (!ok) problem = because("read", path == "-" ? "standard input" : path);
    if (fd >= 0) close(fd);
    return ok;
}

bool writeFile(const std::string& path, std::string_view bytes, std::string& problem) {
    // Only a plain file is replaced as a whole: a device, a pipe or a link stays what it is and is written to.
    struct stat info;
    const bool isReplaced = lstat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode);
    const std::string temporary = isReplaced ? path + ".tmp" + std::to_string(getpid()) : path;
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        problem = because("write", path);
        return false;
    }
    bool ok = writeAll(fd, bytes);
    if (close(fd) != 0) ok = false;
    if (ok && isReplaced && rename(temporary.c_str(), path.c_str()) != 0) ok = false;
    if (!ok) {
        problem = because("write", path);
        if (isReplaced) unlink(temporary.c_str());
    }
    return ok;
}

bool listSources(const std::string& folder, std::vector<std::string>& out, std::string& problem) {
    std::vector<std::string> folders{folder};
    while (!folders.empty()) {
        const std::string at = std::move(folders.back());
        folders.pop_back();
        DIR* dir = opendir(at.c_str());
        if (!dir) {
            problem = because("read", at);
            return false;
        }
        while (dirent* entry = readdir(dir)) {
            const std::string name = entry->d_name;
            if (name.front() == '.') continue;
            const std::string path = at.back() == '/' ? at + name : at + "/" + name;
            if (isFolder(path)) {
                struct stat st;
                if (lstat(path.c_str(), &st) == 0 && !S_ISLNK(st.st_mode)) folders.push_back(path);
            } else if (name.ends_with(".luapp")) {
                out.push_back(path);
            }
        }
        closedir(dir);
    }
    std::sort(out.begin(), out.end());
    return true;
}

bool isFolder(const std::string& path) {
    struct stat st;
    return stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

bool isRegularFile(const std::string& path) {
    struct stat st;
    return stat(path.c_str(), &st) == 0 && !S_ISDIR(st.st_mode);
}

std::string canonicalPath(const std::string& path) {
    char buffer[PATH_MAX];
    return realpath(path.c_str(), buffer) ? std::string(buffer) : std::string();
}

std::string joinPath(std::string_view base, std::string_view path) {
    std::string out(base);
    if (!out.empty() && out.back() != '/') out += '/';
    for (;;) {
        if (path.starts_with("./")) {
            path.remove_prefix(2);
        } else if (path.starts_with("../") && !out.empty() && out != "/" && !out.ends_with("../")) {
            path.remove_prefix(3);
            out.pop_back();
            out.resize(out.rfind('/') == out.npos ? 0 : out.rfind('/') + 1);
        } else if (path.starts_with("/")) {
            path.remove_prefix(1);
        } else {
            break;
        }
    }
    return out.append(path);
}

std::string_view folderOf(std::string_view path) {
    const size_t slash = path.rfind('/');
    return slash == path.npos ? std::string_view() : path.substr(0, slash + 1);
}

}  // namespace luapp::driver
