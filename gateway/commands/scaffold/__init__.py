"""`lianzhi new matter | kind | participant`: writes the files of an extension, complete at once."""
